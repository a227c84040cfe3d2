"""The latency of an untouched model on this machine: measured when somebody asks, and nothing trains."""

import streamlit as st

from prunekit.core.cards import ModelCard
from prunekit.core.language import _, ngettext
from prunekit.core.torchvision import torchvision_id
from prunekit.experiments.engine import Pending
from prunekit.ui.engine import ask
from prunekit.ui.panels.numbers import Tile, tiles
from prunekit.ui.panels.timing import on_cores, soon, timed


@st.fragment
def measured_latency(card: ModelCard) -> None:
    """A button that has the model timed at two batch sizes, and what came of it."""
    timed(
        "measure_latency",
        card.id,
        lambda moment: _measured(card, moment),
        _("Measure its latency here"),
        _("Measure its latency again"),
    )


def _measured(card: ModelCard, moment: int) -> float:
    """Draws the measurement; see `timed`."""
    # Published weights make it neither faster nor slower, and need not be fetched for this.
    model = torchvision_id(card.arguments["name"]) if card.weights_from == "download" else card.id
    drawn = []
    for batch in card.batch_sizes:
        answer = ask("measured_latency", model, batch, moment, lane="preview")
        drawn.append(_tile(batch, answer))
        if isinstance(answer, Pending):  # one after the other: side by side they would slow each other
            tiles(drawn)
            return soon(answer)
    tiles(drawn)
    return 0.0


def _tile(batch: int, answer: dict | Pending) -> Tile:
    label = ngettext("One example at a time", "Batch of {n}", batch).format(n=batch)
    if isinstance(answer, Pending):
        return Tile(label, "…", answer.sentence, tone="wait")
    note = _("{low:.3g} to {high:.3g} ms, {images:.3g} examples/s")
    rate = 1000 * batch / answer["median_ms"]
    return Tile(
        label,
        f"{answer['median_ms']:.3g} ms",
        note.format(low=answer["low_ms"], high=answer["high_ms"], images=rate),
        _("Median and quartiles of a forward pass over random inputs."),
        beside=on_cores(answer["threads"]),
    )
