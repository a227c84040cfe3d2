"""`prunekit sensitivity`: cells as JSON and as a table, and the cut that a loss allows."""

import json

import pytest

from prunekit.commands import main
from prunekit.core.sensitivity import SPARSITIES

ASKED = ("sensitivity", "--model", "mlp-digits", "--scorer", "magnitude", "--granularity", "channel")


@pytest.fixture(scope="module")
def told():
    """What it says once, as JSON and to people."""
    import contextlib
    import io

    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = main([*ASKED, "--lose", "0.02", "--json"])
    return code, json.loads(said.getvalue().splitlines()[-1])


def test_there_is_a_cell_for_each_row_and_sparsity(told):
    code, found = told
    assert code == 0
    assert len(found["cells"]) == 3 * len(SPARSITIES)
    assert {cell["row"] for cell in found["cells"]} == {"fc1", "fc2", "fc3"}
    assert all(cell["baseline"] == found["baseline"] for cell in found["cells"])


def test_the_cut_keeps_the_loss_row_by_row_and_says_what_it_really_costs(told):
    _code, found = told
    cut = found["cut"]
    assert cut["overrides"]
    assert cut["lost_row_by_row"] <= 0.02 + 1e-9
    assert cut["lost"] == pytest.approx(found["baseline"] - cut["value"])
    gone = sum(c["pruned"] for c in found["cells"] if cut["overrides"].get(c["row"]) == c["sparsity"])
    units = {c["row"]: c["units"] for c in found["cells"]}
    assert cut["sparsity"] == pytest.approx(gone / sum(units.values()))


def test_where_the_whole_cut_loses_more_one_is_searched_that_does_not(capsys):
    assert main([*ASKED, "--lose", "0.02", "--json"]) == 0
    cut = json.loads(capsys.readouterr().out.splitlines()[-1])["cut"]
    assert cut["lost"] > 0.02, "nothing here is to be searched"
    assert 0 < cut["searched"]["sparsity"] < cut["sparsity"]
    assert cut["searched"]["lost"] <= 0.02
    assert main([*ASKED, "--lose", "0.02"]) == 0
    shown = capsys.readouterr()
    assert "more than you allow. Searched for one that keeps it." in " ".join(shown.err.split())
    for name, sparsity in cut["searched"]["overrides"].items():
        assert f"--override {name}={sparsity}" in shown.out.splitlines()[-1]


def test_people_get_a_table_and_the_command_that_prunes_so(capsys):
    assert main([*ASKED, "--examples", "100", "--lose", "0.05"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split()[::2] == [f"{round(100 * s)}" for s in SPARSITIES]
    assert [row.split()[0] for row in rows[:3]] == ["fc1", "fc2", "fc3"]
    assert rows[-1].startswith("python -m prunekit prune --model mlp-digits --scorer magnitude")
    assert "--override" in rows[-1]


def test_a_model_without_data_is_refused(capsys):
    assert main(["sensitivity", "--model", "torchvision/resnet18"]) == 2
    assert "no data set here" in capsys.readouterr().err
