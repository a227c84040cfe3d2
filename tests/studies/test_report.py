"""The pages of the studies are what their histories say."""

import pytest

from prunekit.core.sweep import Sweep
from prunekit.experiments import histories
from prunekit.experiments.ledger import Ledger
from tests import results, sample_runs
from tests.studies.report import DOCS, figure, page

SHIPPED = sorted(histories.FOLDER.glob("*.json.gz"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_a_page_is_what_its_history_says(path):
    written = DOCS / f"{path.name.removesuffix('.json.gz')}.md"
    assert written.read_text(encoding="utf-8") == page(path), "run `make readme` and commit what it writes"
    assert written.with_suffix(".png").is_file()


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A history of two criteria at two amounts with two seeds."""
    plan = Sweep(sample_runs.recipe(), ("taylor", "random"), (0.3, 0.5), ("channel",), (0, 1), controls=False)
    lab = Ledger(tmp_path / "lab")
    for recipe in plan.recipes():
        sample_runs.add_finished(lab, recipe, finetuned=0.9 - 0.02 * recipe.seed)
    monkeypatch.setattr("tests.studies.report.ROOT", tmp_path)
    path = tmp_path / "small.json.gz"
    histories.write(path, "small", [(plan.to_plain(), "Two cuts", lab.runs())], results.environment())
    return path


def test_a_row_has_the_mean_over_the_seeds_and_its_spread(small):
    text = page(small)
    assert "## LeNet on Fashion-MNIST, channels" in text
    assert "| 50 % | Taylor | 75.0 % ± 0.0 | 89.0 % ± 1.4 | best | 88.5 % ± 1.4 | 2 |" in text


def test_a_panel_has_a_line_after_and_one_before_the_fine_tuning_of_each_criterion(small):
    traces = figure(small).data
    assert [(t.name, list(t.x), t.line.dash) for t in traces[:2]] == [
        ("Taylor", [0.3, 0.5], None),
        ("Taylor", [0.3, 0.5], "dot"),
    ]
    assert list(traces[0].y) == pytest.approx([0.89, 0.89])
    assert sum(bool(t.showlegend) for t in traces) == 2


def test_a_panel_has_a_dashed_line_where_the_untouched_model_is(small):
    (line,) = figure(small).layout.shapes
    assert line.line.dash == "dash"
    assert line.y0 == line.y1 == histories.read(small)["sweeps"][0]["runs"][0]["result"]["validation_baseline"]
