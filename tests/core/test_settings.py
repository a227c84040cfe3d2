"""A setting is described once, and what does not fit it is refused in one sentence."""

from dataclasses import dataclass

import pytest

from prunekit.core.errors import BadSetting
from prunekit.core.settings import check, checked, from_plain, in_words, setting, settings_of


@dataclass(frozen=True)
class Oven:
    """Something with one setting of each kind, and a field that is none."""

    shelf: str = "middle"
    heat: float = setting(180.0, "Heat", "In degrees.", 50.0, 250.0)
    minutes: int = setting(30, "Minutes", "How long.", 1)
    fan: bool = setting(True, "Fan", "Whether the air moves.")
    mode: str = setting("bake", "Mode", "What it does.", choices=("bake", "grill"), labels=("Bake", "Grill"))
    note: str = setting("", "Note", "Anything.")
    level: int = setting(1, "Level", "How much.", choices=(1, 2))

    def __post_init__(self):
        check(self)


def test_settings_are_read_off_the_fields_in_their_order():
    found = settings_of(Oven)
    assert [s.name for s in found] == ["heat", "minutes", "fan", "mode", "note", "level"]
    heat = found[0]
    assert (heat.kind, heat.default, heat.label, heat.low, heat.high) == (float, 180.0, "Heat", 50.0, 250.0)
    assert found[3].choices == ("bake", "grill")
    assert settings_of(Oven()) == found


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"heat": 300}, "Heat must be between 50 and 250, not 300."),
        ({"heat": "hot"}, "Heat must be a number, not “hot”."),
        ({"heat": float("nan")}, "Heat must be a number, not “nan”."),
        ({"minutes": 10**400}, f"Minutes must be a whole number, not “{10**400}”."),
        ({"heat": True}, "Heat must be a number, not “True”."),
        ({"minutes": 0}, "Minutes must be at least 1, not 0."),
        ({"minutes": 2.5}, "Minutes must be a whole number, not “2.5”."),
        ({"fan": 1}, "Fan must be yes or no, not “1”."),
        ({"mode": "fry"}, "Mode must be one of bake, grill, not “fry”."),
        ({"note": 5}, "Note must be text, not “5”."),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(given, sentence):
    with pytest.raises(BadSetting) as caught:
        Oven(**given)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [("mode", "grill", "Grill"), ("level", 2, "2"), ("heat", 180.0, "180"), ("fan", True, "True")],
)
def test_a_value_is_told_by_its_label_or_as_it_is_typed(name, value, words):
    assert in_words(next(s for s in settings_of(Oven) if s.name == name), value) == words


def test_limits_themselves_are_allowed():
    assert Oven(heat=50).heat == 50
    assert Oven(heat=250).heat == 250


def test_numbers_take_the_kind_of_their_field():
    oven = Oven(heat=200, minutes=20.0, level=2.0)
    assert [type(value) for value in (oven.heat, oven.minutes, oven.level)] == [float, int, int]


def test_one_value_can_be_checked_alone():
    assert checked(settings_of(Oven)[1], 7.0) == 7
    with pytest.raises(BadSetting):
        checked(settings_of(Oven)[1], -7)


def test_from_plain_takes_what_is_there_and_refuses_what_is_unknown():
    assert from_plain(Oven, {"minutes": 5}) == Oven(minutes=5)
    with pytest.raises(BadSetting, match="no setting “steam” in a oven"):
        from_plain(Oven, {"steam": 1})
