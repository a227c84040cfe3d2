"""The one function that every sentence a visitor reads goes through."""

import gettext
import os
from pathlib import Path

LOCALE = Path(__file__).resolve().parents[1] / "locale"


def _load(language: str | None) -> gettext.NullTranslations:
    languages = [language] if language else None
    return gettext.translation("prunekit", LOCALE, languages=languages, fallback=True)


_translations = _load(os.environ.get("PRUNEKIT_LANGUAGE"))


def use(translations: gettext.NullTranslations) -> gettext.NullTranslations:
    """Speak through `translations` from now on; returns the ones spoken before."""
    global _translations
    before, _translations = _translations, translations
    return before


def _(sentence: str) -> str:
    """The sentence in the visitor's language. Fill in values afterwards: `_("{n} kept").format(n=3)`."""
    # gettext("") answers with the catalogue's header.
    return _translations.gettext(sentence) if sentence else ""


def ngettext(one: str, many: str, count: int) -> str:
    """`one` or `many` in the visitor's language, as its grammar wants for `count`."""
    return _translations.ngettext(one, many, count)


def N_(sentence: str) -> str:
    """Marks a sentence for translation where it is written down; `_` translates it where it is shown."""
    return sentence
