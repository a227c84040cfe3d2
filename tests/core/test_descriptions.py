"""What the server knows of the scorers, without loading any of them."""

import subprocess
import sys

import pytest

from prunekit.core.cuts import GRANULARITIES, ZEROED
from prunekit.core.descriptions import scorer_description, scorer_descriptions
from prunekit.core.errors import UnknownName


def test_each_scorer_says_what_it_is_and_where_it_comes_from():
    for name, described in scorer_descriptions().items():
        assert described.name == name
        assert described.needs in ("weights", "gradients", "activations", "disturbances", "errors", "losses", "history")
        assert set(described.granularities) <= set(GRANULARITIES)
        # Who scores single weights scores what they make up; who compares channels has no word on parts of them.
        assert len({granularity in described.granularities for granularity in ZEROED}) == 1
        assert described.help.endswith(".")


def test_the_norm_of_magnitude_has_choices_and_makes_no_difference_to_weights():
    (norm,) = scorer_description("magnitude").own_knobs("channel")
    assert scorer_description("magnitude").own_knobs("weight") == ()  # both norms are the same
    assert (norm.name, norm.default, norm.choices[:3], norm.labels[:3]) == ("p", 1, (1, 2, 0.5), ("L1", "L2", "L0.5"))


def test_an_unknown_scorer_is_answered_with_those_there_are():
    with pytest.raises(UnknownName, match=r"no criterion called “magic”; choose one of: .*taylor"):
        scorer_description("magic")


def test_the_core_needs_no_torch():
    code = (
        "import sys, prunekit.core.recipe, prunekit.core.cut_table, prunekit.core.packing;"
        "prunekit.core.recipe.Recipe(); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
