"""What a visitor waits for, measured in a real Chromium: the first histogram, the chart, and the cut under the hand."""

import contextlib
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks import large_model
from tests.browser.driving import IDLE, end_engine, launched, served
from tests.results import Row

STARTS = 3
MOVES = 25
DRAG_MOVES = 240
EXPLORE = "/explore?model={model}"

# Resolves when the server's numbers have changed: what the tiles say, as text.
COMMIT = """
async (slider, value) => {
  const tiles = () => document.querySelector('.pk-tiles')?.innerText;
  const before = tiles();
  const changed = new Promise((resolve, reject) => {
    const watcher = new MutationObserver(() => {
      if (tiles() !== before) { watcher.disconnect(); requestAnimationFrame(() => resolve(performance.now())); }
    });
    watcher.observe(document.body, {subtree: true, childList: true, characterData: true});
    setTimeout(() => { watcher.disconnect(); reject(new Error('the numbers did not change')); }, 20000);
  });
  const start = performance.now();
  slider.value = value;
  slider.dispatchEvent(new Event('input', {bubbles: true}));
  slider.dispatchEvent(new Event('change', {bubbles: true}));
  return (await changed) - start;
}
"""

# Frames, as the browser draws them, and the work of the picture in each (performance.measure("prunekit-draw")).
WATCH = """
() => {
  window.watched = {frames: [], work: []};
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (entry.name === 'prunekit-draw') watched.work.push(entry.duration);
  }).observe({type: 'measure'});
  let last = performance.now();
  const frame = (now) => { watched.frames.push(now - last); last = now; requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
}
"""


@contextlib.contextmanager
def _app(*words: str, **environment: str) -> Iterator[tuple[str, Path]]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home = Path(folder) / "home"
        try:
            with served(home, *words, **environment) as url:
                yield url, home
        finally:
            end_engine(home)


def measure_start() -> list[Row]:
    """From the command of `make run` to a drawn histogram, and from Start to a finished run on the chart."""
    first, charts = [], []
    with launched() as browser:
        for turn in range(STARTS):
            started = time.perf_counter()
            with _app() as (url, _home):
                page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
                page.goto(url + EXPLORE.format(model="lenet-fashion"))
                page.wait_for_selector(".cuts .row canvas")
                page.wait_for_selector(".pk-tiles")
                first.append(time.perf_counter() - started)
                charts.append(_start_to_chart(page, url, turn))
    return [
        _row(
            "first_histogram_s",
            first,
            "s",
            "<= 5",
            "from the command to the first histogram, new server and browser page",
        ),
        _row("start_to_chart_s", charts, "s", "<= 25", "from Start to the finished 1-epoch run on the chart"),
    ]


def _start_to_chart(page, url: str, seed: int) -> float:
    page.goto(url + "/prune?model=lenet-fashion")
    page.wait_for_selector(IDLE)
    epochs = page.get_by_role("spinbutton", name="Epochs")
    epochs.fill("1")
    epochs.press("Enter")
    page.wait_for_timeout(1000)
    started = time.perf_counter()
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_text("finished", exact=False).first.wait_for(timeout=90_000)
    page.goto(url + "/compare?model=lenet-fashion")
    page.wait_for_selector(".js-plotly-plot .scatterlayer .point")
    return time.perf_counter() - started


def measure_drag() -> list[Row]:
    """A cut line dragged over twenty layers: the picture's work in each frame, and how many frames came late."""
    work, frames = [], []
    with launched() as browser, _app("tests/browser/toy_app.py", "{port}", "20") as (url, _home):
        page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        page.goto(url + EXPLORE.format(model="lenet-fashion"))
        page.wait_for_selector(".cuts .row canvas")
        page.wait_for_timeout(3000)
        for line in (".cuts .net .slider", ".cuts .plot"):
            box = page.locator(line).bounding_box()
            y = box["y"] + box["height"] / 2
            page.mouse.move(box["x"] + 0.3 * box["width"], y)
            page.mouse.down()
            page.evaluate(WATCH)
            for step in range(DRAG_MOVES):
                page.mouse.move(box["x"] + (0.3 + 0.4 * abs(((step / 60) % 2) - 1)) * box["width"], y)
                page.wait_for_timeout(8)
            watched = page.evaluate("watched")
            page.mouse.up()
            work += watched["work"]
            frames += watched["frames"][2:]
    work.sort()
    late = sum(frame > 33.4 for frame in frames) / len(frames)
    p95 = work[int(0.95 * len(work))]
    spread = f"median {statistics.median(work):.2f}, largest {work[-1]:.1f} ms over {len(work)} frames"
    share = f"{sum(f > 33.4 for f in frames)} of {len(frames)} frames, longest {max(frames):.0f} ms"
    return [
        Row(
            "drag_work_ms",
            round(p95, 3),
            "ms",
            "<= 8",
            spread,
            "work per frame while dragging, 20 layers, 95th percentile",
        ),
        Row(
            "drag_slow_frames_share",
            round(late, 4),
            "",
            "<= 0.02",
            share,
            "frames over 33 ms while dragging, 20 layers",
        ),
    ]


def measure_slider() -> list[Row]:
    """A committed move of the net's slider until its numbers are painted: small net, large net, while training.

    The pages stand side by side and are moved in turn, so that a drifting machine is fair to both.
    """
    with tempfile.TemporaryDirectory() as folder, launched() as browser:
        models = large_model.make(Path(folder))
        with _app(PRUNEKIT_MODELS=str(models)) as (url, home):
            small = _explore(browser, url, "lenet-fashion")
            large = _explore(browser, url, large_model.NAME, seconds=240)
            pairs = [(_commit(small, move), _commit(large, move)) for move in range(MOVES)]
            quiet = [_commit(small, move + 1000) for move in range(MOVES)]
            with _training(home):
                busy = [_commit(small, move) for move in range(MOVES)]
    alone = [one for one, _other in pairs]
    scale = statistics.median(other for _one, other in pairs) / statistics.median(alone)
    training = statistics.median(busy) / statistics.median(quiet)
    return [
        _row("slider_repaint_ms", alone, "ms", "<= 100", "committed move to painted numbers, lenet-fashion, Chromium"),
        Row(
            "slider_scale_ratio", round(scale, 3), "x", "<= 1.25", _quartiles([b / a for a, b in pairs]),
            "the same on a VGG-16 of 138 M parameters, over lenet-fashion",
        ),
        Row(
            "slider_while_training_ratio", round(training, 3), "x", "<= 1.3", f"busy {_quartiles(busy)} ms",
            "the same while a run is training, over a quiet machine",
        ),
    ]  # fmt: skip


def _explore(browser, url: str, model: str, seconds: int = 60):
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    # Single weights: 138 M units in the large net, where channels would be 12 thousand.
    page.goto(url + EXPLORE.format(model=model) + "&granularity=weight")
    page.wait_for_selector(".cuts .row canvas", timeout=seconds * 1000)
    page.wait_for_selector(".pk-tiles")
    page.get_by_text("weights kept").first.wait_for(timeout=seconds * 1000)
    page.wait_for_timeout(3000)
    for move in range(3):
        _commit(page, move + 500)
    return page


def _commit(page, move: int) -> float:
    value = 100 + int(800 * ((move * 0.6180339887 + 0.1) % 1))
    page.wait_for_timeout(250)
    return page.locator(".cuts .net .slider").evaluate(COMMIT, value)


@contextlib.contextmanager
def _training(home: Path) -> Iterator[None]:
    from prunekit.core.recipe import Recipe, Training
    from prunekit.experiments.engine import Engine
    from prunekit.experiments.store import Store

    engine, store = Engine(home), Store(home)
    recipe = Recipe("lenet-fashion", training=Training(epochs=500, precision="float32"))
    run = engine.start(recipe.to_plain(), patience=60)["id"]
    try:
        deadline = time.monotonic() + 120
        while not store.events(run, ("epoch",)):
            assert time.monotonic() < deadline, "the run did not begin to train"
            time.sleep(0.2)
        yield
        assert store.run(run).state == "running", "the run ended before the measurement did"
    finally:
        engine.stop(run)
        engine.close()


def _quartiles(values: list[float]) -> str:
    low, middle, high = statistics.quantiles(values, n=4)
    return f"quartiles {low:.3g} to {high:.3g}, median {middle:.3g}"


def _row(name: str, values: list[float], unit: str, goal: str, what: str) -> Row:
    spread = f"{min(values):.3g} to {max(values):.3g} over {len(values)}"
    return Row(name, round(statistics.median(values), 3), unit, goal, spread, what)


if __name__ == "__main__":
    print(json.dumps([str(row) for row in measure_drag()], indent=1))
