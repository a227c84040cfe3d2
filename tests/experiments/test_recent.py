"""What was computed last is kept, up to a number of values and of bytes."""

import threading
import time

import pytest

from prunekit.experiments.recent import recent


class Counting:
    """Squares its argument, whose value is its weight too, and remembers what it was asked."""

    def __init__(self):
        self.asked = []

    def __call__(self, number: int) -> int:
        self.asked.append(number)
        return number * number


def remembering(most_bytes: int, most: int = 8):
    work = Counting()
    return work, recent(lambda value: value, most_bytes, most)(lambda number: work(number))


def test_what_was_asked_before_is_not_computed_again():
    work, ask = remembering(100)
    assert [ask(3), ask(3), ask(3)] == [9, 9, 9]
    assert work.asked == [3]


def test_the_oldest_go_when_all_weigh_too_much_together():
    work, ask = remembering(30)
    for number in (5, 1, 3):  # 25 + 1 + 9 weigh 35: the 25 goes
        ask(number)
    ask(1), ask(3), ask(5)
    assert work.asked == [5, 1, 3, 5]


def test_the_latest_stays_however_heavy_it_is():
    work, ask = remembering(30)
    ask(10), ask(10)
    assert work.asked == [10]


def test_no_more_than_so_many_are_kept_and_the_one_used_last_is_no_old_one():
    work, ask = remembering(10**6, most=2)
    ask(1), ask(2), ask(1), ask(3)
    ask(1)
    assert work.asked == [1, 2, 3]
    ask(2)
    assert work.asked == [1, 2, 3, 2]


def test_two_who_ask_at_the_same_time_wait_for_one_answer():
    asked = []

    @recent(lambda value: 1, 100)
    def slow(number):
        asked.append(number)
        time.sleep(0.1)
        return number

    threads = [threading.Thread(target=slow, args=(7,)) for _turn in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert asked == [7]


def test_a_failure_is_not_kept():
    asked = []

    @recent(lambda value: 1, 100)
    def fails_once(number):
        asked.append(number)
        if len(asked) == 1:
            raise ValueError("the first time")
        return number

    with pytest.raises(ValueError):
        fails_once(7)
    assert fails_once(7) == 7
