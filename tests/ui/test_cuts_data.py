"""What the picture of cuts is given: small, constant, and enough to count exactly."""

import base64
import json

import numpy as np

from prunekit.core.cut_table import CutTable
from prunekit.core.cuts import Cut
from prunekit.ui.components.cuts import picture_data
from tests.toy_engine import ToyEngine


def data_of(rows: int, granularity: str, **changes) -> tuple[dict, CutTable]:
    answer = ToyEngine(rows).exploration("lenet-fashion", "magnitude", {}, granularity, 0, 1)
    table = CutTable.from_plain(answer["table"])
    drawn = [row | answer["scores"][row["name"]] for row in answer["rows"]]
    usual = {
        "key": "k",
        "model": "m",
        "view": "importance",
        "rule": Cut().rule,
        "signed": False,
        "axis": "score",
        "what": "units",
    }
    return picture_data(table, drawn, {}, **usual | changes), table


def edges(row: dict) -> np.ndarray:
    return np.frombuffer(base64.b64decode(row["edges"]), dtype="<f4")


def test_rows_of_few_units_bring_every_score():
    data, table = data_of(5, "channel")
    for row, scores in zip(data["rows"], table.edges, strict=True):
        assert np.array_equal(edges(row), scores)


def test_large_rows_bring_scores_at_evenly_spaced_ranks_from_the_lowest_to_the_highest():
    data, table = data_of(5, "weight")
    large, scores = edges(data["rows"][-1]), table.edges[-1]
    assert len(scores) > 513 == len(large)
    assert (large[0], large[-1]) == (scores[0], scores[-1])
    assert large[256] == scores[round((len(scores) - 1) / 2)]


def test_twenty_large_layers_weigh_about_a_hundred_kilobytes():
    data, _table = data_of(20, "weight")
    assert len(json.dumps(data)) < 110_000


def test_the_same_question_gives_the_same_data_and_another_scope_another_board():
    assert data_of(3, "channel")[0] == data_of(3, "channel")[0]
    for other in (Cut(scope="layer"), Cut(round_to=8)):
        assert data_of(3, "channel")[0]["board"] != data_of(3, "channel", rule=other.rule)[0]["board"]
