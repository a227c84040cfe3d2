"""Colours and shapes that tell criteria apart."""

from prunekit.core.descriptions import scorer_descriptions
from prunekit.reports.colours import colour_of, shape_of
from prunekit.reports.marks import SYMBOLS
from prunekit.reports.sweep_chart import SYMBOLS as SWEEP_SYMBOLS


def test_no_two_criteria_have_the_same_sign():
    names = list(scorer_descriptions())
    assert len({(colour_of(name), shape_of(name)) for name in names}) == len(names)
    for symbols in (SYMBOLS, SWEEP_SYMBOLS):
        assert all(max(map(shape_of, names)) < len(shapes) == len(set(shapes)) for shapes in symbols.values())


def test_a_criterion_that_is_no_longer_known_has_a_colour_too():
    assert colour_of("of an older version").startswith("#")
