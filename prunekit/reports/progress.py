"""How far a run is, from its events: phase, epoch x of y, time left, and its curves so far."""

import itertools
import time
from dataclasses import dataclass, field

from prunekit.core.language import N_, _

PHASES = {
    "baseline": N_("Measuring the untouched model"),
    "training": N_("Training before the cut"),
    "scoring": N_("Scoring"),
    "cutting": N_("Cutting"),
    "fine-tuning": N_("Fine-tuning"),
    "measuring": N_("Measuring the result"),
    "timing": N_("Timing"),
}
# Where the bar stands before the first epoch and after the last one: what is around them takes a little time too.
BEFORE, AFTER = 0.05, 0.95
WITHOUT_EPOCHS = {"baseline": 0.05, "scoring": 0.3, "cutting": 0.6, "measuring": 0.8, "timing": 0.95}
POINTS = 200
LONGEST_VALIDATION = 60  # seconds; a longer pause between two epochs is a clock that was put ahead


@dataclass(frozen=True)
class Progress:
    """How far a run is. fraction: in [0, 1]; epoch: the one under way, counted from 1, 0 before the first one."""

    fraction: float
    phase: str
    epoch: int
    epochs: int
    seconds_left: float | None

    def sentence(self) -> str:
        """As in “Fine-tuning · epoch 2 of 3 · about 12 s left”."""
        parts = [_(PHASES[self.phase])] if self.phase in PHASES else [_("Beginning")]
        if self.epoch and self.phase in ("training", "fine-tuning"):
            parts.append(_("epoch {epoch} of {epochs}").format(epoch=self.epoch, epochs=self.epochs))
        if self.seconds_left is not None:
            parts.append(_("about {time} left").format(time=duration(self.seconds_left)))
        return " · ".join(parts)


def duration(seconds: float) -> str:
    """Seconds as people say them: 12 s, 3 min 20 s, 2 h 5 min."""
    whole = max(round(seconds), 1)
    if whole < 60:
        return _("{s} s").format(s=whole)
    if whole < 3600:
        return _("{m} min {s} s").format(m=whole // 60, s=whole % 60)
    return _("{h} h {m} min").format(h=whole // 3600, m=whole % 3600 // 60)


def progress(events: list[dict], batch_size: int, now: float | None = None) -> Progress:
    """How far a run is, from the events of `Store.events`.

    batch_size: of the recipe, which turns images a second into the pace of steps; now: seconds since 1970.
    """
    now = time.time() if now is None else now
    phase = next((e["phase"] for e in reversed(events) if e["kind"] == "phase"), "")
    epochs = next((e["epochs"] for e in reversed(events) if e["kind"] == "begin"), 0)
    if not epochs:
        return Progress(WITHOUT_EPOCHS.get(phase, 0.0), phase, 0, 0, None)
    last = next((e for e in reversed(events) if e["kind"] in ("progress", "epoch")), None)
    if last is None:
        return Progress(BEFORE / 2 if phase else 0.0, phase, 0, epochs, None)
    done = _position(last)
    if phase in ("measuring", "timing"):
        return Progress(AFTER + 0.02, phase, epochs, epochs, None)
    pace = _seconds_of_an_epoch(events, last, batch_size)
    left = None if pace is None else max((epochs - done) * pace - max(now - last["time"], 0.0), 0.0)
    current = min(int(done) + 1, epochs)
    return Progress(BEFORE + (AFTER - BEFORE) * done / epochs, phase, current, epochs, left)


def _position(event: dict) -> float:
    """Epochs done, with the part of the one under way."""
    return event["epoch"] - 1 + event["step"] / event["steps"] if event["kind"] == "progress" else event["epoch"]


def _seconds_of_an_epoch(events: list[dict], last: dict, batch_size: int) -> float | None:
    done = [e for e in events if e["kind"] == "epoch" and e["attempt"] == last["attempt"]]
    if len(done) > 1:
        return sum(_gap(*pair) for pair in itertools.pairwise(done)) / (len(done) - 1)
    if done:
        return done[0]["seconds"]
    if last["kind"] == "progress" and last["images_per_second"] > 0:
        return last["steps"] * batch_size / last["images_per_second"]
    return None


def _gap(before: dict, after: dict) -> float:
    """Seconds from the end of one epoch to the end of the next: that is with the validation after it.

    Not when the clock was put meanwhile: then only the training, which was measured without it.
    """
    gap = after["time"] - before["time"]
    return gap if after["seconds"] <= gap <= 3 * after["seconds"] + LONGEST_VALIDATION else after["seconds"]


@dataclass(frozen=True)
class Curves:
    """What is drawn while a run goes on: lists of (epochs done, value). Fractions are in [0, 1].

    loss: of single batches; epoch_loss: its mean over each epoch; sparsity: a staircase.
    """

    loss: list[tuple[float, float]] = field(default_factory=list)
    epoch_loss: list[tuple[float, float]] = field(default_factory=list)
    train: list[tuple[float, float]] = field(default_factory=list)
    validation: list[tuple[float, float]] = field(default_factory=list)
    sparsity: list[tuple[float, float]] = field(default_factory=list)


def curves(events: list[dict]) -> Curves:
    """The curves of a run, of all its attempts: where a later one went back to a checkpoint, its points count."""
    tracks: dict[str, list[tuple[float, int, float, int]]] = {
        name: [] for name in ("loss", "epoch_loss", "train", "validation", "sparsity")
    }

    def put(name: str, event: dict, x: float, order: int, value) -> None:
        if value is None:
            return
        track = tracks[name]
        while track and track[-1][3] != event["attempt"] and track[-1][:2] >= (x, order):
            track.pop()
        track.append((x, order, value, event["attempt"]))

    for event in events:
        if event["kind"] == "progress":
            put("loss", event, _position(event), 0, event["loss"])
        elif event["kind"] == "epoch":
            for name in ("train", "validation", "sparsity"):
                put(name, event, event["epoch"], 0, event.get(name))
            put("epoch_loss", event, event["epoch"], 0, event["loss"])
        elif event["kind"] == "cut":
            # A cut falls after the epoch with the same number, hence the order.
            before = tracks["sparsity"][-1][2] if tracks["sparsity"] else 0.0
            put("sparsity", event, event["epoch"], 1, before)
            put("sparsity", event, event["epoch"], 2, event["sparsity"])
            put("validation", event, event["epoch"], 1, event["validation"])
    last = next((e for e in reversed(events) if e["kind"] == "progress" and "sparsity" in e), None)
    if last is not None and tracks["sparsity"] and _position(last) > tracks["sparsity"][-1][0]:
        put("sparsity", last, _position(last), 0, last["sparsity"])
    return Curves(**{name: thinned([(x, value) for x, _order, value, _attempt in t]) for name, t in tracks.items()})


def thinned(points: list, limit: int = POINTS) -> list:
    """At most about `limit` of the points, evenly chosen, always with the last one."""
    if len(points) <= limit:
        return points
    every = -(-len(points) // limit)
    return [*points[:-1:every], points[-1]]
