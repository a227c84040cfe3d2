"""Example inputs: given ones are taken, missing ones found."""

import pytest
import torch
from torch import nn

from prunekit.core.errors import CannotPrune
from prunekit.structure import example_inputs_of


def test_inputs_that_are_given_are_used_as_they_are():
    inputs = torch.zeros(3, 6)
    assert example_inputs_of(nn.Linear(6, 2), inputs) is inputs


def test_a_model_that_names_its_input_shape_gets_a_batch_of_two_of_it():
    model = nn.Linear(6, 2)
    model.input_shape = (5, 6)
    assert example_inputs_of(model).shape == (2, 5, 6)


def test_the_same_inputs_are_made_every_time_whatever_the_global_seed():
    model = nn.Linear(6, 2)
    torch.manual_seed(1)
    first = example_inputs_of(model)
    state = torch.random.get_rng_state()
    assert torch.equal(first, example_inputs_of(model))
    assert torch.equal(state, torch.random.get_rng_state())


def test_the_only_size_that_passes_is_found():
    # 32 -> 30 -> 30 * 30 features; no other common size fits the linear layer.
    model = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten(), nn.Linear(2 * 30 * 30, 4))
    assert example_inputs_of(model).shape == (2, 3, 32, 32)


def test_inputs_have_the_dtype_of_the_model():
    assert example_inputs_of(nn.Linear(6, 2).double()).dtype == torch.float64


def test_a_model_of_unknown_inputs_asks_for_them():
    with pytest.raises(CannotPrune, match="give example_inputs"):
        example_inputs_of(nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten(), nn.Linear(123, 4)))


def test_example_inputs_without_a_tensor_are_refused():
    with pytest.raises(CannotPrune, match="at least one tensor"):
        example_inputs_of(nn.Linear(6, 2), [])
