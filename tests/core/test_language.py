"""Every sentence goes through one function."""

import gettext

import pytest

from prunekit.core import language
from prunekit.core.language import N_, _, ngettext


class Quoting(gettext.NullTranslations):
    """A language in which everything is between «»."""

    def gettext(self, message):
        return f"«{message}»" if message else "header"

    def ngettext(self, msgid1, msgid2, n):
        return f"«{msgid1 if n == 1 else msgid2}»"


@pytest.fixture
def quoting():
    before = language.use(Quoting())
    yield
    language.use(before)


def test_without_translations_a_sentence_is_itself():
    assert _("{n} kept").format(n=3) == "3 kept"
    assert ngettext("unit", "units", 1) == "unit"
    assert ngettext("unit", "units", 2) == "units"


@pytest.mark.usefixtures("quoting")
def test_in_another_language_sentences_change_and_marked_ones_wait_until_they_are_shown():
    marked = N_("one shot")
    assert marked == "one shot"
    assert _(marked) == "«one shot»"
    assert ngettext("unit", "units", 2) == "«units»"


@pytest.mark.usefixtures("quoting")
def test_nothing_stays_nothing_in_every_language():
    assert _("") == ""


@pytest.mark.usefixtures("quoting")
def test_errors_speak_the_visitors_language():
    from prunekit.core.cuts import Cut
    from prunekit.core.errors import BadSetting

    with pytest.raises(
        BadSetting, match=r"«Scope must be one of global, isomorphic, layer, erk, n:4, n:8, not “local”.»"
    ):
        Cut(0.5, "local")


def test_an_unknown_language_falls_back_to_english():
    assert language._load("tlh").gettext("Sparsity") == "Sparsity"
