"""Two cuts beside each other, drawn and told."""

import pytest

from prunekit.reports.agreement import figure_of, in_words

ROWS = [
    {"name": "a", "layer": "a", "rank_correlation": 0.75, "both": 6, "only_a": 1, "only_b": 1, "neither": 2},
    {"name": "b", "layer": "b", "rank_correlation": -0.2, "both": 0, "only_a": 5, "only_b": 5, "neither": 10},
    {"name": "c", "layer": "c", "rank_correlation": None, "both": 4, "only_a": 0, "only_b": 0, "neither": 0},
]


def test_each_layer_is_a_whole_bar_with_its_rank_correlation_beside_it():
    figure = figure_of(ROWS)
    assert [bar.name for bar in figure.data] == ["both", "only A", "only B", "neither"]
    assert [sum(bar.x[i] for bar in figure.data) for i in range(3)] == pytest.approx([1, 1, 1])
    assert figure.data[1].x[1] == 0.25
    assert figure.data[1].customdata[1] == ["5", "20"]
    assert [note.text for note in figure.layout.annotations] == ["ρ 0.75", "ρ −0.20", ""]
    assert len({bar.marker.color for bar in figure.data}) == 4


def test_the_sentence_counts_and_names_the_layer_that_is_ranked_least_alike():
    said = in_words(ROWS, "channels")
    assert "Of 34 channels both keep 10; 6 are kept by A alone, 6 by B alone." in said
    assert "units of b least alike: Spearman's rank correlation is −0.20" in said


def test_one_layer_is_not_said_to_be_the_least_of_all():
    assert "Spearman" not in in_words(ROWS[:1], "channels")
