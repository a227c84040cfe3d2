"""A server's hold on the engine, where no engine is: what it keeps, and when it takes another one's place."""

import pytest

from prunekit.core.errors import EngineUnavailable
from prunekit.core.own_scorers import variables
from prunekit.experiments import engine as module
from prunekit.experiments.engine import Engine, Pending

SUMMARY = "prunekit.experiments.answers:summary"


class Answer:
    """A question that is never answered."""

    def __init__(self):
        self.status = "pending"

    def done(self) -> bool:
        return False

    def cancel(self) -> None:
        self.status = "cancelled"


class Client:
    """Takes questions and answers none."""

    status = "running"

    def __init__(self):
        self.asked: list[Answer] = []
        self.shut_down = 0

    def submit(self, *_args, **_options) -> Answer:
        self.asked.append(Answer())
        return self.asked[-1]

    def shutdown(self) -> None:
        self.shut_down += 1

    def close(self, timeout=None) -> None:
        pass


@pytest.fixture
def engine(tmp_path, monkeypatch):
    monkeypatch.setattr(Engine, "_ready", lambda self: self._client)
    engine = Engine(tmp_path)
    engine._client = Client()
    return engine


def test_questions_that_nobody_waits_for_any_more_make_room_for_new_ones(engine):
    asked = engine._client.asked
    for seed in range(module.MOST_OPEN + 2):
        assert isinstance(engine.ask(SUMMARY, "lenet-fashion", seed, patience=0), Pending)
        engine.ask(SUMMARY, "lenet-fashion", 1, patience=0)  # a page that looks again and again
    assert [one.status for one in asked[:4]] == ["cancelled", "pending", "cancelled", "pending"]
    assert len(engine._futures) == module.MOST_OPEN
    engine.ask(SUMMARY, "lenet-fashion", 0, patience=0)  # somebody has come back
    assert len(asked) == module.MOST_OPEN + 3


def test_two_servers_of_different_versions_do_not_take_each_other_s_engine_down_for_ever(engine, monkeypatch):
    there = Client()
    monkeypatch.setattr(engine, "_connect", lambda _address: there)
    monkeypatch.setattr(engine.folder, "sources", lambda: "another version")
    assert engine._join() is None
    assert engine._join() is there
    assert there.shut_down == 1


def test_an_engine_with_another_file_of_criteria_is_not_asked_about_those(engine, monkeypatch):
    for name, value in variables("mine.py", "# a text", [{"name": "peak"}]).items():
        monkeypatch.setenv(name, value)
    assert isinstance(engine.ask(SUMMARY, "lenet-fashion", "peak", patience=0), Pending)
    engine._foreign = True
    for args in (("lenet-fashion", "peak"), ("lenet-fashion", ["peak", {}])):
        with pytest.raises(EngineUnavailable, match="began with other criteria"):
            engine.ask(SUMMARY, *args, patience=0)
    assert isinstance(engine.ask(SUMMARY, "lenet-fashion", "taylor", patience=0), Pending)
