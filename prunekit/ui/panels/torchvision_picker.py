"""“Or one of torchvision's networks”: a search box, a table, and the way back when weights cannot be fetched."""

import html

import pandas
import streamlit as st

from prunekit.core.amounts import compact, percent, size
from prunekit.core.cards import ModelCard
from prunekit.core.language import N_, _
from prunekit.core.torchvision import TorchvisionNet, published_weights, torchvision_id, torchvision_nets
from prunekit.ui.forms import one_of

WEIGHTS = {"untrained": N_("untrained"), "published": N_("published weights")}
NET, KIND = "torchvision_net", "torchvision_weights"


def torchvision_picker(chosen: ModelCard, choose) -> None:
    """Draws search box, table and facts; `choose(id)` is called when a network is taken."""
    nets = torchvision_nets()
    _follow(chosen)
    with st.container(border=True, key="card_torchvision"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown("##### " + _("…or one of torchvision's {n} networks").format(n=len(nets)), width="content")
            st.space("stretch")
            _table(list(nets.values()))
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            name = st.selectbox(
                _("Network"),
                list(nets),
                index=None,
                format_func=lambda name: _line(nets[name]),
                placeholder=_("Type a name: resnet, mobilenet, vit …"),
                key=NET,
                persist_state="session",
                width=520,
            )
            kind = one_of(
                _("Weights"),
                {kind: _(words) for kind, words in WEIGHTS.items()},
                KIND,
                help=_("Untrained ones are drawn from a fixed seed; published ones are fetched from torchvision."),
            )
            if name is not None:
                taken = torchvision_id(name, kind == "published") == chosen.id
                st.button(
                    _("Chosen") if taken else _("Choose"),
                    key="choose_torchvision",
                    icon=":material/check:" if taken else None,
                    disabled=taken,
                    on_click=_choose,
                    args=(choose,),
                )
        if name is None:
            st.caption(_("They come without a data set: for their structure, MACs, size and speed."))
        else:
            _facts(nets[name], kind)


def must_be_fetched(card: ModelCard) -> bool:
    """Whether published weights are not there and nobody has asked for them: following a link fetches nothing.

    Says so, with a button that does.
    """
    if card.weights_from != "download" or card.id in st.session_state.get("weights_wanted", ()):
        return False
    weights = published_weights(card.id)
    if weights.path.is_file():
        return False
    sentence = _("The published weights of {name} are not on this machine yet: {size} from download.pytorch.org.")
    st.info(sentence.format(name=card.arguments["name"], size=size(weights.bytes)), icon=":material/download:")
    label = _("Fetch them")
    st.button(label, key="fetch_weights", icon=":material/download:", type="primary", on_click=_want, args=(card.id,))
    return True


def _want(model_id: str) -> None:
    st.session_state["weights_wanted"] = {*st.session_state.get("weights_wanted", ()), model_id}


def offer_untrained(card: ModelCard, choose) -> None:
    """A button below what is said of published weights that are not there (yet)."""
    if card.weights_from == "download":
        st.button(
            _("Take the untrained network"),
            key="take_untrained",
            icon=":material/undo:",
            on_click=choose,
            args=(torchvision_id(card.arguments["name"]),),
        )


def _follow(chosen: ModelCard) -> None:
    """Shows in the box what was chosen elsewhere: in the header, or by a link."""
    if chosen.weights_from == "file" or st.session_state.get("torchvision_followed") == chosen.id:
        return
    st.session_state["torchvision_followed"] = chosen.id
    st.session_state[NET] = chosen.arguments["name"]
    st.session_state[KIND] = "published" if chosen.weights_from == "download" else "untrained"


def _choose(choose) -> None:
    name, kind = st.session_state.get(NET), st.session_state.get(KIND)
    if name is not None:
        chosen = torchvision_id(name, kind == "published")
        _want(chosen)
        choose(chosen)


def _line(net: TorchvisionNet) -> str:
    words = _("{name} · {parameters} parameters · {macs} MACs · top-1 {top1}")
    return words.format(
        name=net.name, parameters=compact(net.parameters), macs=compact(net.macs), top1=percent(net.published.top1)
    )


def _facts(net: TorchvisionNet, kind: str) -> None:
    facts = [
        (_("Input"), "×".join(map(str, net.input_shape))),
        (_("Parameters"), compact(net.parameters)),
        (_("MACs"), compact(net.macs)),
        (_("Size"), size(net.bytes)),
        (_("Published top-1, ImageNet-1K"), percent(net.published.top1)),
    ]
    st.html(
        '<div class="pk-facts">'
        + "".join(f"<div><span>{html.escape(k)}</span><strong>{html.escape(v)}</strong></div>" for k, v in facts)
        + "</div>"
    )
    words = [_("From [{paper}]({source}).").format(paper=net.paper, source=net.source)]
    if kind == "untrained":
        words.append(_("Random weights from a fixed seed: what importance they show means nothing yet."))
    else:
        fetched = _("Choosing it fetches {size} from download.pytorch.org, unless that was done before.")
        words.append(fetched.format(size=size(net.published.bytes)))
        if net.published.licence:
            words.append(_("[Licence of the weights]({address}).").format(address=net.published.licence))
        else:
            words.append(_("Torchvision states no licence of the weights; they were trained on ImageNet-1K."))
    if net.published_macs > 1.05 * net.macs:
        more = _("Torchvision counts {macs} MACs: those inside of attention too, which cannot be pruned here.")
        words.append(more.format(macs=compact(net.published_macs)))
    st.caption(" ".join(words))


def _table(nets: list[TorchvisionNet]) -> None:
    number = st.column_config.NumberColumn
    with st.popover(_("As a table"), icon=":material/table_rows:", type="tertiary"):
        st.caption(_("Click a column to sort by it, a row to take it into the box."))
        st.dataframe(
            pandas.DataFrame(
                {
                    "name": [net.name for net in nets],
                    "parameters": [net.parameters / 1e6 for net in nets],
                    "macs": [net.macs / 1e9 for net in nets],
                    "bytes": [net.bytes / 1e6 for net in nets],
                    "top1": [net.published.top1 for net in nets],
                }
            ),
            key="torchvision_table",
            hide_index=True,
            height=420,
            width=560,
            column_config={
                "name": st.column_config.TextColumn(_("Network"), pinned=True),
                "parameters": number(_("Parameters (M)"), format="%.2f"),
                "macs": number(_("MACs (G)"), format="%.2f"),
                "bytes": number(_("Size (MB)"), format="%.1f"),
                "top1": number(_("Published top-1"), format="percent"),
            },
            on_select=lambda: _take_row(nets),
            selection_mode="single-row",
        )


def _take_row(nets: list[TorchvisionNet]) -> None:
    rows = st.session_state["torchvision_table"]["selection"]["rows"]
    if rows:
        st.session_state[NET] = nets[rows[0]].name
