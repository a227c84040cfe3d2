"""Answers on disk: kept over a restart, bounded, and never a reason to fail."""

from prunekit.experiments.cache import AnswerCache


def test_an_answer_is_there_after_a_restart(tmp_path):
    AnswerCache(tmp_path).put("key", b"answer")
    assert AnswerCache(tmp_path).get("key") == b"answer"


def test_what_was_never_asked_is_not_there(tmp_path):
    assert AnswerCache(tmp_path).get("key") is None


def test_the_oldest_answers_go_when_the_folder_is_full(tmp_path):
    import os

    cache = AnswerCache(tmp_path, limit=250)
    for age, key in enumerate(("old", "middle", "new")):
        cache.put(key, b"x" * 100)
        os.utime(tmp_path / key, (age, age))
    cache.put("newest", b"x" * 100)
    assert [cache.get(k) is not None for k in ("old", "middle", "new", "newest")] == [False, False, True, True]


def test_a_folder_that_cannot_be_written_only_means_asking_again(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    AnswerCache(blocked).put("key", b"answer")
    assert AnswerCache(blocked).get("key") is None
