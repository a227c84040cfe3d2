"""How fast an untouched model is on this machine: measured when somebody asks."""

import time

import streamlit as st

from prunekit.core.cards import ModelCard
from prunekit.core.errors import PrunekitError
from prunekit.core.language import _, ngettext
from prunekit.core.torchvision import torchvision_id
from prunekit.experiments.engine import Pending
from prunekit.ui.components.again import look_again
from prunekit.ui.engine import ask
from prunekit.ui.panels.numbers import Tile, tiles
from prunekit.ui.plain import show_error

BATCHES = (1, 8)  # more large pictures at once take minutes and gigabytes
WANTED = "speed_wanted"


@st.fragment
def measured_speed(card: ModelCard) -> None:
    """A button that has the model timed at two batch sizes, and what came of it."""
    wanted = st.session_state.setdefault(WANTED, {})
    label = _("Measure its speed again") if card.id in wanted else _("Measure its speed here")
    if st.button(label, key="measure_speed", icon=":material/timer:"):
        wanted[card.id] = time.time_ns() // 1_000_000
        st.rerun(scope="fragment")
    waits = False
    if card.id in wanted:
        waits = _measured(card, wanted[card.id])
    look_again(0.5 if waits else 0, key="again_speed")


def _measured(card: ModelCard, moment: int) -> bool:
    """Draws the measurement; whether some of it is still to come."""
    # Published weights make it neither faster nor slower, and need not be fetched for this.
    model = torchvision_id(card.arguments["name"]) if card.weights_from == "download" else card.id
    found = []
    for batch in BATCHES:
        try:
            answer = ask("speed", model, batch, moment)
        except PrunekitError as error:
            show_error(error)
            return False
        if isinstance(answer, Pending):
            break  # one after the other: side by side they would slow each other
        found.append(answer)
    tiles([_tile(batch, answer) for batch, answer in zip(BATCHES, [*found, None, None], strict=False)])
    return len(found) < len(BATCHES)


def _tile(batch: int, answer: dict | None) -> Tile:
    label = ngettext("One example at a time", "Batch of {n}", batch).format(n=batch)
    if answer is None:
        return Tile(label, _("…"), _("measuring for two seconds"), tone="wait")
    note = _("{low:.3g} to {high:.3g} ms, {images:.3g} examples/s")
    threads = ngettext("on {n} core, those that were idle", "on {n} cores, those that were idle", answer["threads"])
    rate = 1000 * batch / answer["median_ms"]
    return Tile(
        label,
        f"{answer['median_ms']:.3g} ms",
        note.format(low=answer["low_ms"], high=answer["high_ms"], images=rate),
        _("Median and quartiles of a forward pass over random inputs."),
        beside=threads.format(n=answer["threads"]),
    )
