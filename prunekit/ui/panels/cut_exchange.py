"""The popover for what goes in and out of the page as text: cuts to copy, cuts to paste, the link."""

import streamlit as st

from prunekit.core.cut_table import CutTable
from prunekit.core.cut_text import cut_csv, cut_json, read_cut
from prunekit.core.cuts import Cut
from prunekit.core.errors import PrunekitError
from prunekit.core.language import N_, _
from prunekit.ui import state
from prunekit.ui.forms import one_of
from prunekit.ui.panels.link import shared_link
from prunekit.ui.plain import as_typed, show_error
from prunekit.ui.state import Question

WAYS = {"copy": N_("Copy cuts"), "paste": N_("Paste cuts"), "link": N_("Share link")}
FORMATS = {"JSON": "application/json", "CSV": "text/csv"}
HEIGHT = 260
EXAMPLE = "{first}, 40 %\n{second}, 0.25\n{third}, locked"


def cut_exchange(question: Question, table: CutTable, cut: Cut, kept, query: str) -> None:
    """Draws the popover; its content is made only while it is open. `query` is the encoded state of the page."""
    with st.popover(
        "",
        icon=":material/ios_share:",
        help=_("Copy or paste the cuts of all layers, or share a link to this view"),
        key="exchange",
        on_change="rerun",
    ) as panel:
        if not panel.open:
            st.session_state.pop("exchange_told", None)
        else:
            with st.container(width=540):
                words = {name: _(label) for name, label in WAYS.items()}
                way = one_of(_("What to do"), words, "exchange_way", label_visibility="collapsed", persist_state=None)
                if way == "copy":
                    _copy(question, table, cut, kept)
                elif way == "paste":
                    _paste(question, table)
                else:
                    shared_link(query)


def _copy(question: Question, table: CutTable, cut: Cut, kept) -> None:
    words = {name: name for name in FORMATS}
    format = one_of(_("Format"), words, "exchange_format", label_visibility="collapsed", persist_state=None)
    shares = {
        name: 1 - int(k) / int(n) if n else 0.0 for name, k, n in zip(table.names, kept, table.units, strict=True)
    }
    text = cut_json(cut, shares, question.granularity) if format == "JSON" else cut_csv(cut, shares)
    st.code(text, language="json" if format == "JSON" else None, height=HEIGHT)
    st.download_button(
        _("Download as {format}").format(format=format),
        data=text,
        file_name=f"{question.model}-cuts.{format.lower()}",
        mime=FORMATS[format],
        icon=":material/download:",
        on_click="ignore",
        key="exchange_download",
    )


def _paste(question: Question, table: CutTable) -> None:
    names = [*table.names[:3], "conv1", "conv2", "fc1"]
    st.text_area(
        _("Cuts as JSON or CSV"),
        key="exchange_text",
        height=HEIGHT - 60,
        placeholder=EXAMPLE.format(first=names[0], second=names[1], third=names[2]),
        label_visibility="collapsed",
    )
    st.button(
        _("Apply"), key="exchange_apply", type="primary", on_click=_apply, args=(table.names, question.granularity)
    )
    # For as long as the text is the one that it is about.
    of, kind, sentence = st.session_state.get("exchange_told", (None, "", ""))
    if of != st.session_state.get("exchange_text"):
        kind = ""
    if kind == "error":
        show_error(sentence)
    elif kind:
        st.success(as_typed(sentence))
    else:
        st.caption(
            _(
                "JSON or CSV, or one layer and its sparsity a line. Layers that are not named follow the cut of the "
                "whole net. Undo takes it back in one step."
            )
        )


def _apply(names: tuple[str, ...], granularity: str) -> None:
    session, before, text = st.session_state, state.cut(), st.session_state.get("exchange_text")
    try:
        cut = read_cut(text or "", names, granularity, before)
    except PrunekitError as error:
        session["exchange_told"] = (text, "error", str(error))
        return
    first = _("That is the cut already.") if cut == before else _("Applied.")
    counted = _(
        "Own cuts: {own}, locked: {locked}. All other layers follow the whole net; "
        "numbers given for those are not used."
    )
    counted = counted.format(own=len(cut.overrides.keys() - cut.locked), locked=len(cut.locked))
    session["exchange_told"] = (text, "done", f"{first} {counted}")
    if cut == before:
        return
    state.move_cut(cut)
    if cut.rule != before.rule:
        state.set_rule(granularity, cut.rule)
        st.rerun()  # the controls of the rule are not among what a press in here draws again
