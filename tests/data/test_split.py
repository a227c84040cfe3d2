"""Batches, normalisation, augmentation and subsets of a split."""

import pytest
import torch

from prunekit.core.errors import BadSetting
from prunekit.data.split import Split

PLAIN = ((0.0,), (1.0,))


def images(count: int, classes: int = 2, **kind) -> Split:
    """2x3 pictures; picture i is i everywhere and belongs to class i % classes."""
    inputs = torch.arange(count, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 1, 2, 3).contiguous()
    return Split(inputs, torch.arange(count) % classes, **{"normalization": PLAIN} | kind)


def test_batches_hold_every_example_once_and_the_last_one_is_smaller():
    batches = list(images(7).batches(3))
    assert [len(targets) for _inputs, targets in batches] == [3, 3, 1]
    assert torch.cat([targets for _inputs, targets in batches]).tolist() == [0, 1, 0, 1, 0, 1, 0]


def test_255_stands_for_one_and_each_channel_is_normalised_by_its_own_numbers():
    inputs = torch.tensor([[[[255]], [[0]]]], dtype=torch.uint8)  # one picture of two channels, one pixel each
    split = Split(inputs, torch.tensor([0]), normalization=((0.5, 0.25), (0.5, 0.125)))
    (batch, _targets), *_rest = split.batches(1)
    assert batch.dtype is torch.float32
    assert batch.flatten().tolist() == pytest.approx([1.0, -2.0], abs=1e-6)


def test_inputs_that_are_numbers_and_not_pixels_are_normalised_without_the_255():
    split = Split(torch.tensor([[4.0, 10.0]]), torch.tensor([1.5]), normalization=((2.0, 10.0), (2.0, 1.0)))
    assert split.tensors()[0].tolist() == [[1.0, 0.0]]


def test_the_order_follows_from_the_seed_alone():
    def order(seed):
        return torch.cat([x[:, 0, 0, 0] for x, _targets in images(20).batches(4, shuffle=True, seed=seed)])

    assert torch.equal(order(1), order(1))
    assert not torch.equal(order(1), order(2))
    assert torch.equal(order(1).sort().values, order(2).sort().values)


def test_inputs_and_targets_are_shuffled_together():
    for inputs, targets in images(20, classes=20).batches(6, shuffle=True, seed=3):
        assert (inputs[:, 0, 0, 0] * 255).round().tolist() == targets.tolist()


def test_torchs_own_random_state_is_left_as_it_is():
    before = torch.get_rng_state()
    list(images(8, flips=True, shift=1).batches(4, shuffle=True, augment=True))
    assert torch.equal(torch.get_rng_state(), before)


def test_augmentation_only_moves_and_mirrors_and_only_where_it_is_allowed():
    picture = torch.tensor([[[[1, 2, 3]]]], dtype=torch.uint8).expand(64, 1, 1, 3).contiguous()

    def seen(**allowed):
        split = Split(picture, torch.zeros(64, dtype=torch.long), PLAIN, **allowed)
        batch, _targets = next(split.batches(64, augment=True))
        return {tuple((row * 255).round().int().tolist()) for row in batch[:, 0, 0]}

    assert seen() == {(1, 2, 3)}
    assert seen(flips=True) == {(1, 2, 3), (3, 2, 1)}
    # Up and down by one leaves nothing of a picture one pixel high.
    assert seen(shift=1) == {(1, 2, 3), (0, 1, 2), (2, 3, 0), (0, 0, 0)}


def test_a_square_of_each_picture_is_blanked_after_normalisation_wherever_it_lies():
    picture = torch.full((400, 3, 10, 10), 255, dtype=torch.uint8)
    split = Split(picture, torch.zeros(400, dtype=torch.long), ((0.5,) * 3, (0.5,) * 3), erase=4)
    whole, _targets = next(split.batches(400))
    assert (whole == 1).all()
    batch, _targets = next(split.batches(400, augment=True))
    holes = batch == 0
    assert ((batch == 1) | holes).all()
    assert torch.equal(holes[:, 0], holes[:, 2])  # all channels of a pixel
    rows, columns = holes[:, 0].any(2).sum(1), holes[:, 0].any(1).sum(1)
    assert torch.equal(holes[:, 0].sum((1, 2)), rows * columns)
    # At an edge at least half of it is inside.
    assert {int(n) for n in rows} == {int(n) for n in columns} == {2, 3, 4}
    assert holes[:, 0].any(0).all()


def test_augmentation_leaves_the_stored_images_untouched():
    split = images(8, flips=True, shift=1, erase=1)
    before = split.inputs.clone()
    list(split.batches(8, augment=True))
    assert torch.equal(split.inputs, before)


def test_a_subset_has_as_many_of_each_class_as_of_any_other():
    rare = Split(torch.zeros(12, 1, 1, 1, dtype=torch.uint8), torch.tensor([0] * 8 + [1] * 4), PLAIN)
    assert rare.subset(6).targets.bincount().tolist() == [3, 3]
    assert rare.subset(10).targets.bincount().tolist() == [6, 4]


def test_a_subset_of_all_is_every_example_once():
    assert sorted(images(9).subset(9).inputs[:, 0, 0, 0].tolist()) == list(range(9))


@pytest.mark.parametrize("n", [0, 10])
def test_more_examples_than_there_are_is_refused_in_a_sentence(n):
    with pytest.raises(BadSetting, match="between 1 and 9"):
        images(9).subset(n)


def test_a_batch_size_of_nothing_is_refused_when_asked_and_not_when_used():
    with pytest.raises(BadSetting, match="at least 1"):
        images(9).batches(0)
