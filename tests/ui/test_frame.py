"""The frame: every page is inside it, the chosen model goes along, every sentence can be translated."""

import gettext
import json
import re

import pytest
from streamlit.testing.v1 import AppTest

from prunekit.core import language
from prunekit.core.cards import model_cards
from prunekit.ui import frame
from tests.app_over_toy import AppOverToy, component, elements, tiles
from tests.pages.reading import as_read, errors

OTHER = "mlp-digits"


def header_model(at):
    return at.selectbox(key="header_model")


@pytest.mark.parametrize("cold", [True, False], ids=["cold server", "warm server"])
@pytest.mark.parametrize("name", [name for name, _title in frame.PAGES])
def test_a_link_straight_to_a_page_finds_it_in_the_frame(monkeypatch, name, cold):
    at = AppOverToy(monkeypatch, cold).open(name, {"model": OTHER})
    assert [e.type for e in elements(at)].count("selectbox") >= 1
    assert header_model(at).value == OTHER


def test_a_page_run_by_itself_draws_the_frame_itself(app):
    at = AppTest.from_file(str(frame.ROOT / "pages" / "explore.py"), default_timeout=30).run()
    assert not at.exception
    assert header_model(at).value == "lenet-fashion"


def test_the_model_in_the_address_is_the_chosen_one(app):
    at = app.open("explore", {"model": OTHER})
    assert header_model(at).value == OTHER
    assert ("summary", (OTHER,)) in app.engine.asked


def test_the_chosen_model_is_written_into_the_address(app):
    at = app.open("start")
    at.button(key=f"choose_{OTHER}").click().run()
    assert at.query_params["model"] in (OTHER, [OTHER])


def test_the_model_chosen_on_one_page_is_that_of_the_next(app):
    at = app.open("start")
    header_model(at).set_value(OTHER).run()
    at.switch_page("pages/explore.py").run()
    assert header_model(at).value == OTHER


def test_a_model_that_is_not_there_is_named_in_one_sentence_and_another_is_taken(app):
    at = app.open("explore", {"model": "no-such-model"})
    assert "no-such-model" in errors(at)[0]
    assert header_model(at).value == "lenet-fashion"
    assert tiles(at)


@pytest.mark.parametrize("state", ["off", "starting", "ready", "paused", "failed"])
def test_the_engines_state_is_said_on_every_page(app, state):
    app.engine.state = state
    at = app.open("start")
    [badge] = [e for e in elements(at) if e.type == "markdown" and "engine" in e.value]
    assert f"The engine is {state}." in as_read(badge.proto.help)


def test_the_engine_is_started_after_the_page_has_been_painted(app):
    app.engine.state = "off"
    at = app.open("start")
    assert app.engine.state == "off"
    at.run()
    assert app.engine.state == "ready"


# -- the pseudo-language: whatever is not in guillemets has not come through the one function ----------------------


class Pseudo(gettext.NullTranslations):
    def gettext(self, message):
        return f"«{message}»"

    def ngettext(self, one, many, count):
        return f"«{one if count == 1 else many}»"


@pytest.fixture
def pseudo():
    before = language.use(Pseudo())
    yield
    language.use(before)


TEXT_FIELDS = {"label", "help", "body", "options", "placeholder", "caption", "content", "title", "markdown"}
# Names of things, which are the same in every language.
NAMES = {"prunekit", "KB", "MB", "Conv", "conv", "Magnitude", *model_cards(), *(c.data for c in model_cards().values())}


def texts_of(message) -> list[str]:
    found = []
    for field, value in message.ListFields():
        values = [value] if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__") else list(value)
        for item in values:
            if isinstance(item, str) and field.name in TEXT_FIELDS:
                found.append(item)
            elif hasattr(item, "ListFields"):
                found += texts_of(item)
    return found


def untranslated(text: str) -> str:
    text = re.sub(r"<style.*?</style>|:(material|[a-z]+)(/\w+:|-badge)|<[^>]*>", " ", text, flags=re.DOTALL)
    while (shorter := re.sub(r"«[^«»]*»", "", text)) != text:
        text = shorter
    for name in sorted(NAMES, key=len, reverse=True):
        text = text.replace(name, "")
    return " ".join(re.findall(r"[^\W\d_]{2,}", text))


@pytest.mark.parametrize("name", ["start", "explore"])
def test_every_sentence_on_a_page_has_come_through_the_translation(app, pseudo, name):
    at = app.open(name)
    texts = [text for e in elements(at) if not e.type.startswith("arrow") for text in texts_of(e.proto)]
    texts = [text for text in texts if not text.startswith("/*")]
    assert sum("«" in text for text in texts) > 15
    assert [text for text in texts if untranslated(text)] == []


def test_the_words_of_the_picture_have_come_through_the_translation(app, pseudo):
    words = component(app.open("explore"), "cuts")["words"]
    assert len(words) > 20
    assert {name: word for name, word in words.items() if untranslated(word)} == {}


def test_the_heads_of_tables_have_come_through_the_translation(app, pseudo):
    at = app.open("start")
    [table] = at.dataframe[-1:]
    labels = [column["label"] for column in json.loads(table.proto.columns).values() if "label" in column]
    assert len(labels) >= 8
    assert all("«" in label for label in labels)
