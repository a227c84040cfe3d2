"""Which examples go where, by hand and for all sizes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from prunekit.data.choosing import balanced, stratified

targets = st.lists(st.integers(0, 3), min_size=4, max_size=60)


@given(targets, st.integers(0, 1000))
def test_every_example_is_in_exactly_one_part(targets, seed):
    parts = stratified(targets, (0.6, 0.2, 0.2), seed)
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(targets)))


def test_each_class_is_shared_out_in_the_same_proportion():
    parts = stratified([0] * 10 + [1] * 20, (0.9, 0.1), seed=0)
    assert [np.bincount(np.repeat([0, 1], [10, 20])[part]).tolist() for part in parts] == [[9, 18], [1, 2]]


@given(targets, st.integers(0, 1000), st.data())
def test_a_balanced_choice_takes_one_more_of_a_class_only_where_another_has_run_out(targets, seed, data):
    n = data.draw(st.integers(1, len(targets)))
    chosen = balanced(targets, n, seed)
    assert len(set(chosen.tolist())) == n
    taken = np.bincount(np.array(targets)[chosen], minlength=4)
    available = np.bincount(targets, minlength=4)
    for name in range(4):
        if taken[name] < available[name]:
            assert taken.max() <= taken[name] + 1


def test_the_choice_is_the_same_on_every_machine():
    # Written down once: trained models would meet their own training images if this ever changed.
    assert balanced([0, 1] * 4, 4, seed=0).tolist() == [6, 1, 2, 7]
    assert [part.tolist() for part in stratified([0, 1] * 4, (0.5, 0.5), seed=0)] == [[1, 2, 6, 7], [0, 3, 4, 5]]
