"""The map and the curves of what each row can lose."""

import pytest

from prunekit.core.sensitivity import SPARSITIES, Cell
from prunekit.reports.sensitivity import NAMED, curves, heat_map, in_words, precision_in_words

ROWS = ("a", "b")
LABELS = {"a": "conv1", "b": "conv2 and 3 more"}


def cell(row: str, sparsity: float, drop: float | None) -> Cell:
    value = None if drop is None else 0.9 - drop
    low, high = (None, None) if drop is None else (value - 0.02, value + 0.02)
    return Cell(row, sparsity, 0 if drop is None else 4, 8, value, low, high, 1000, 0.9)


MEASURED = {("a", 0.1): cell("a", 0.1, None), ("a", 0.5): cell("a", 0.5, 0.25), ("b", 0.5): cell("b", 0.5, -0.004)}


def test_what_was_not_pruned_is_grey_what_was_not_measured_is_empty_and_neither_is_a_number():
    grey, lost = heat_map(ROWS, LABELS, MEASURED, "Accuracy", True).data
    assert (grey.z[0][0], lost.z[0][0], grey.text[0][0]) == (0, None, "–")
    assert "Nothing was pruned here" in grey.customdata[0][0]
    assert grey.colorscale[0][1] == grey.colorscale[-1][1]
    assert (grey.z[1][0], lost.z[1][0], lost.text[1][0]) == (None, None, "")


def test_a_cell_says_the_points_that_are_lost_and_the_mouse_is_told_the_rest():
    _grey, lost = heat_map(ROWS, LABELS, MEASURED, "Accuracy", True).data
    half = SPARSITIES.index(0.5)
    assert lost.z[0][half] == pytest.approx(0.25)
    assert (lost.text[0][half], lost.text[1][half]) == ("25.0", "−0.4")
    assert "conv2 and 3 more" in lost.customdata[1][half]
    assert "4 of 8 pruned" in lost.customdata[1][half]
    assert "90.4 %, 95 % interval 88.4 % to 92.4 %, n = 1,000" in lost.customdata[1][half]


def test_the_chosen_cells_are_framed():
    figure = heat_map(ROWS, LABELS, MEASURED, "Accuracy", True, {"b": 0.5})
    [frame] = figure.layout.shapes
    assert (frame.x0 + frame.x1, frame.y0 + frame.y1) == (2 * SPARSITIES.index(0.5), 2 * ROWS.index("b"))


def test_curves_begin_at_the_untouched_model_and_name_the_rows_that_lose_most():
    rows = [f"r{i}" for i in range(NAMED + 3)]
    measured = {(row, s): cell(row, s, 0.01 * i * s) for i, row in enumerate(rows) for s in SPARSITIES}
    lines = {line.name: line for line in curves(rows, {r: r for r in rows}, measured, "Accuracy", True).data}
    assert [name for name, line in lines.items() if line.showlegend] == rows[3:]
    assert all((line.x[0], line.y[0]) == (0, 0.9) for line in lines.values())
    assert len({lines[row].line.color for row in rows[3:]}) == NAMED


def test_rows_without_a_measurement_have_no_curve():
    assert [line.name for line in curves(ROWS, LABELS, {("a", 0.1): MEASURED["a", 0.1]}, "Accuracy", True).data] == []


def test_the_sentence_names_the_row_that_loses_most_and_the_one_that_loses_least():
    assert in_words(ROWS, LABELS, MEASURED, True) == (
        "Half of conv1 costs 25.0 points, half of conv2 and 3 more nothing (it gains 0.4 points)."
    )
    assert in_words(ROWS, LABELS, {("a", 0.5): MEASURED["a", 0.5]}, True) == ""


def test_names_of_layers_are_text_whatever_is_in_them():
    labels = {"a": "<b>bold</b>", "b": "plain"}
    _grey, lost = heat_map(ROWS, labels, MEASURED, "Accuracy", True).data
    assert "&lt;b&gt;bold" in lost.customdata[0][SPARSITIES.index(0.5)]
    assert heat_map(ROWS, labels, MEASURED, "Accuracy", True).layout.yaxis.ticktext[0] == "&lt;b&gt;bold&lt;/b&gt;"


def test_how_exact_a_reading_is_comes_from_its_interval():
    said = precision_in_words(MEASURED, True)
    assert said == "A reading on 1,000 examples is good to about ±2.0 points (95 %); smaller differences may be noise."
    assert precision_in_words({}, True) == ""
