"""What each row of scores can lose: against cutting it, looking, and putting it back."""

import pytest
import torch

import prunekit
from prunekit.core.errors import BadSetting, Stopped, UnknownName
from prunekit.core.tasks import CLASSIFICATION
from prunekit.pruning.scan import Scan
from prunekit.training import evaluate
from tests.toy_networks import Residual
from tests.training.test_replay import batches, stirred


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    model = stirred(Residual())
    model.input_shape = (3, 8, 8)
    # So that its answers hang on the inputs, and every class is one of them.
    with torch.no_grad():
        answers = torch.cat([model(inputs) for inputs, _targets in batches(size=40)])
        model.head.bias -= answers.mean(0)
    return model


@pytest.mark.parametrize("granularity", ["weight", "channel"])
def test_every_cell_is_the_metric_of_the_model_with_that_row_alone_cut(model, granularity):
    data = batches(size=40)
    scores = prunekit.score(model, "magnitude", granularity=granularity)
    cells = prunekit.sensitivity(model, data, scores, (0.3, 0.8), CLASSIFICATION)
    assert [(c.row, c.sparsity) for c in cells] == [(row, s) for row in scores for s in (0.3, 0.8)]
    untouched = evaluate(model, data, CLASSIFICATION)
    for cell in cells:
        mask = prunekit.prune_lowest({cell.row: scores[cell.row]}, cell.sparsity)
        seen = evaluate(prunekit.masked_copy(model, mask), data, CLASSIFICATION)
        assert (cell.value, cell.low, cell.high, cell.n) == (seen.value, seen.low, seen.high, 120)
        assert (cell.pruned, cell.units) == (mask.total - mask.kept, mask.total)
        assert cell.baseline == untouched.value
    assert len({cell.value for cell in cells}) > 2


def test_coupled_layers_are_one_row(model):
    cells = prunekit.sensitivity(
        model, batches(), prunekit.score(model, "magnitude", granularity="channel"), (0.5,), CLASSIFICATION
    )
    assert [cell.row for cell in cells] == ["stem", "conv1"]


def test_where_no_unit_goes_nothing_is_measured(model):
    scores = prunekit.score(model, "magnitude", granularity="channel")
    cell = Scan(model, batches(), CLASSIFICATION).cell(scores, "conv1", 0.05)  # of 6 channels
    assert (cell.pruned, cell.value, cell.drop) == (0, None, None)


def test_one_unit_stays_even_of_everything(model):
    scores = prunekit.score(model, "magnitude", granularity="channel")
    cell = Scan(model, batches(), CLASSIFICATION).cell(scores, "conv1", 1.0)
    assert (cell.pruned, cell.units) == (5, 6)
    assert cell.value is not None


def test_it_can_be_stopped_between_two_cells_and_reports_each(model):
    told = []
    scores = prunekit.score(model, "magnitude", granularity="channel")
    with pytest.raises(Stopped):
        prunekit.sensitivity(
            model, batches(), scores, task=CLASSIFICATION, report=told.append, should_stop=lambda: len(told) == 3
        )
    assert [cell.sparsity for cell in told] == [0.1, 0.2, 0.3]


def test_an_unknown_row_and_a_missing_task_are_named(model):
    scores = prunekit.score(model, "magnitude", granularity="channel")
    with pytest.raises(UnknownName, match="row of scores called “conv9”"):
        Scan(model, batches(), CLASSIFICATION).cell(scores, "conv9", 0.5)
    with pytest.raises(BadSetting, match="by which task"):
        prunekit.sensitivity(model, batches(), scores)
