"""The gallery of sample models: a card for each, with what it is and how good."""

import html
import math

import streamlit as st

from prunekit.core.amounts import compact, metric_text, size, whole
from prunekit.core.cards import ModelCard
from prunekit.core.language import _
from prunekit.ui.panels.numbers import Tile, tiles


def gallery(cards: dict[str, ModelCard], chosen: str, choose) -> bool:
    """Draws all cards; `choose(id)` is called when one is chosen. Whether to go on with it, by its button."""
    go_on = False
    with st.grid(min(3, len(cards)), min_column_width=310, gap="small", key="gallery"):
        for card in cards.values():
            with st.container(border=True, key=f"card_{card.id}", height="stretch"):
                go_on |= _card(card, card.id == chosen, choose)
    return go_on


def _card(card: ModelCard, is_chosen: bool, choose) -> bool:
    st.markdown(f"##### {_(card.title)}")
    st.markdown(_(card.summary))
    st.space("stretch")  # numbers and buttons of all cards stand in a row
    st.html(
        '<div class="pk-facts">'
        + "".join(f"<div><span>{html.escape(k)}</span><strong>{html.escape(v)}</strong></div>" for k, v in _facts(card))
        + "</div>"
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            _("Chosen") if is_chosen else _("Choose"),
            key=f"choose_{card.id}",
            icon=":material/check:" if is_chosen else None,
            type="secondary",
            disabled=is_chosen,
            on_click=choose,
            args=(card.id,),
        )
        # Here too: with many cards what comes after them is below the screen's edge.
        go_on = is_chosen and st.button(_("Explore"), key="explore_chosen", icon=":material/tune:")
        with st.popover(_("Details"), type="tertiary"):
            _details(card)
    return go_on


def _facts(card: ModelCard) -> list[tuple[str, str]]:
    test = card.metrics["full"].get("test")
    return [
        (_("Input"), "×".join(map(str, card.input_shape))),
        (_("Parameters"), compact(card.parameters)),
        (_("MACs"), compact(card.macs)),
        (_("Test {metric}").format(metric=_(card.task.metric_label).lower()), _metric(test, card)),
    ]


def _details(card: ModelCard) -> None:
    shipped, full = card.metrics.get("shipped", {}), card.metrics["full"]
    split = card.split.get("full", {})
    st.markdown(_(card.split.get("how", "")))
    st.dataframe(
        {
            _("Part"): [_("training"), _("validation"), _("test")],
            _("Examples"): [whole(split[part]) if part in split else "–" for part in ("train", "validation", "test")],
            _(card.task.metric_label): [_metric(full.get(part), card) for part in ("train", "validation", "test")],
            _("on the shipped part"): [_metric(shipped.get(part), card) for part in ("train", "validation", "test")],
        },
        hide_index=True,
    )
    trained = _("Trained for {epochs} epochs with seed {seed}; {size} on disk.").format(
        epochs=_epochs(card.training), seed=card.training.get("seed", "–"), size=size(card.bytes)
    )
    st.caption(" ".join([trained, *_made_with(card.training)]))
    st.caption(
        _("Data: {data}, licence {licence}, from {source}.").format(
            data=card.data, licence=card.licence.get("data", "–"), source=card.licence.get("source", "–")
        )
    )


def _epochs(training: dict) -> int | str:
    """Those of all turns of a training."""
    turns = [*training.get("before", ()), training]
    return sum(turn["epochs"] for turn in turns) if all("epochs" in turn for turn in turns) else "–"


def _made_with(training: dict) -> list[str]:
    """A sentence for each other sample model that this one was made with."""
    sentences = {
        "begins_as": _("It began with the blocks of {model}, and others between them that added nothing yet."),
        "teacher": _("It learned from the answers of {model} besides (distillation)."),
    }
    return [sentence.format(model=training[role]) for role, sentence in sentences.items() if training.get(role)]


def _metric(value: float | None, card: ModelCard) -> str:
    return "–" if value is None or math.isnan(value) else metric_text(value, card.task.percent)


def model_tiles(summary: dict) -> None:
    """The totals of a model in one line."""
    layers = summary["layers"]
    cut = sum(layer["prunable"] for layer in layers)
    groups = [group for group in summary["groups"] if group["prunable"]]
    tiles(
        [
            Tile(_("Layers"), str(len(layers)), _("{n} with weights to prune").format(n=cut)),
            Tile(
                _("Channel groups"),
                str(len(groups)),
                _("{n} channels in all").format(n=whole(sum(group["units"] for group in groups))),
            ),
            Tile(_("Parameters"), compact(summary["parameters"]), whole(summary["parameters"])),
            Tile(_("MACs"), compact(summary["macs"]), _("for one input")),
            Tile(_("Size"), size(summary["bytes"]), _("on disk")),
        ]
    )
