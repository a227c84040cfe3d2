"""The latency of an untouched model on this machine: measured when somebody asks, and nothing trains."""

import time

import streamlit as st

from prunekit.core.cards import ModelCard
from prunekit.core.errors import PrunekitError
from prunekit.core.language import _, ngettext
from prunekit.core.torchvision import torchvision_id
from prunekit.experiments.engine import Pending
from prunekit.experiments.runs import ACTIVE
from prunekit.ui.components.again import look_again
from prunekit.ui.engine import ask
from prunekit.ui.panels.numbers import Tile, tiles
from prunekit.ui.plain import show_error
from prunekit.ui.runs import all_runs

WANTED = "latency_wanted"
SAME_SECONDS = 60  # who asks within a minute of somebody else is shown the same measurement


@st.fragment
def measured_latency(card: ModelCard) -> None:
    """A button that has the model timed at two batch sizes, and what came of it."""
    wanted = st.session_state.get(WANTED, {}).get(card.id)
    label = _("Measure its latency here") if wanted is None else _("Measure its latency again")
    st.button(label, key="measure_latency", icon=":material/timer:", on_click=_want, args=(card.id,))
    again = 0.0
    if wanted is not None:
        try:
            again = _measured(card, wanted)
        except PrunekitError as error:
            show_error(error)
    look_again(again, key="again_latency")


def _want(model: str) -> None:
    st.session_state.setdefault(WANTED, {})[model] = int(time.time() // SAME_SECONDS)


def _measured(card: ModelCard, moment: int) -> float:
    """Draws the measurement; in how many seconds to look again, 0 when all of it is there."""
    if any(run.state in ACTIVE for run in all_runs()):
        st.caption(_("A run is training: this is measured when nothing trains any more."))
        return 3.0
    # Published weights make it neither faster nor slower, and need not be fetched for this.
    model = torchvision_id(card.arguments["name"]) if card.weights_from == "download" else card.id
    drawn = []
    for batch in card.batch_sizes:
        answer = ask("measured_latency", model, batch, moment, lane="preview")
        drawn.append(_tile(batch, answer))
        if isinstance(answer, Pending):  # one after the other: side by side they would slow each other
            tiles(drawn)
            return 0.5 if answer.state != "off" else 0.0
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
        beside=ngettext("on {n} core", "on {n} cores", answer["threads"]).format(n=answer["threads"]),
    )
