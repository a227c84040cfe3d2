"""What goes wrong is said in words, and in exit codes that mean something."""

import pytest

from prunekit.core import errors
from prunekit.core.errors import BadSetting, PrunekitError, UnknownName

ALL = [e for e in vars(errors).values() if isinstance(e, type) and issubclass(e, PrunekitError)]


@pytest.mark.parametrize("error", ALL)
def test_every_error_reads_as_its_sentence_and_ends_the_command_line_with_failure(error):
    assert str(error("Do this instead.")) == "Do this instead."
    assert 0 < error.exit_code < 256


def test_what_python_code_would_catch_is_caught_too():
    assert issubclass(BadSetting, ValueError)
    assert issubclass(UnknownName, LookupError)


def test_an_unknown_name_comes_with_those_that_would_do_in_order():
    sentence = str(UnknownName.of("model", "lenett", {"mlp": 1, "lenet": 2}))
    assert sentence == "There is no model called “lenett”; choose one of: lenet, mlp."
