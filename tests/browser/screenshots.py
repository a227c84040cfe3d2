"""`make screenshots`: every page, light, dark and narrow, on real runs; the README's pictures are among them."""

import shutil
import sys
import tempfile
import time
from pathlib import Path

from prunekit.core.recipe import Recipe, Training
from prunekit.core.sensitivity import SPARSITIES
from prunekit.experiments.engine import Engine
from prunekit.experiments.runs import STUDY
from prunekit.experiments.store import Store
from tests.browser.driving import IDLE, ROOT, chromium_path, end_engine, launched, served

OUT = ROOT / "build" / "screenshots"
README_PICTURES = {"explore-light": "explore.png", "compare-light": "compare.png"}
PAGES = ("start", "explore", "sensitivity", "prune", "compare")
LOOKS = {
    "light": {"viewport": {"width": 1440, "height": 900}},
    "dark": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark"},
    "narrow": {"viewport": {"width": 400, "height": 900}},
}
RUNS = [("taylor", 0.3), ("taylor", 0.5), ("taylor", 0.7), ("magnitude", 0.3), ("magnitude", 0.5), ("random", 0.5)]


def main() -> int:
    """Runs real recipes and a scan, then photographs all pages into build/screenshots and the README's into docs."""
    if chromium_path() is None:
        print("There is no Chromium here, so there are no screenshots.")
        return 1
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        try:
            _make_runs(home)
            with launched() as browser, served(home) as url:
                for page in PAGES:
                    for look, options in LOOKS.items():
                        _photograph(browser, f"{url}/{'' if page == 'start' else page}", page, look, options)
        finally:
            end_engine(home)
    for source, target in README_PICTURES.items():
        (ROOT / "docs").mkdir(exist_ok=True)
        shutil.copyfile(OUT / f"{source}.png", ROOT / "docs" / target)
    return 0


def _make_runs(home: Path) -> None:
    engine, store, training = Engine(home), Store(home), Training(epochs=2, learning_rate=0.003, label_smoothing=0.1)
    for scorer, amount in RUNS:
        recipe = Recipe("lenet-fashion", scorer=scorer, target="parameters", amount=amount, training=training)
        engine.start(recipe.to_plain(), "control" if scorer == "random" else "run", patience=90)
    deadline = time.monotonic() + 600
    # Not those of the studies, which nobody times.
    while not all(run.result and run.result["speedup"] for run in store.runs() if run.role != STUDY):
        assert time.monotonic() < deadline, "the runs did not finish"
        time.sleep(1)
    question = (Recipe().model, Recipe().scorer, {}, "channel", 0, Recipe().calibration)
    name, lane = "prunekit.experiments.answers", {"lane": "preview", "patience": 60}
    for row in engine.ask(f"{name}:exploration", *question)["rows"]:
        for sparsity in SPARSITIES:
            engine.ask(f"{name}:sensitivity", *question, row["name"], sparsity, **lane)
    engine.close()


def _photograph(browser, url: str, page: str, look: str, options: dict) -> None:
    context = browser.new_context(**options)
    tab = context.new_page()
    tab.goto(url)
    tab.wait_for_selector(IDLE)
    # Previews and charts arrive after the script has ended.
    tab.wait_for_timeout(6000)
    path = OUT / f"{page}-{look}.png"
    tab.screenshot(path=path, full_page=look == "narrow")
    print(path.relative_to(ROOT), flush=True)
    context.close()


if __name__ == "__main__":
    sys.exit(main())
