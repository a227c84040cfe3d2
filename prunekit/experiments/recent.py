"""What was computed last, kept while it is small enough: an answer may hold a network of half a gigabyte."""

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable


def recent(size_of: Callable[[object], int], most_bytes: int, most: int = 8):
    """Like `functools.lru_cache`, with at most `most` values of at most `most_bytes` together; the latest always stays.

    Two threads that ask for the same at the same time compute it once.
    """

    def decorate(function):
        kept: OrderedDict[tuple, tuple[object, int]] = OrderedDict()
        lock, waiting = threading.Lock(), {}

        @functools.wraps(function)
        def ask(*key):
            with lock:
                if key in kept:
                    kept.move_to_end(key)
                    return kept[key][0]
                turn = waiting.setdefault(key, threading.Lock())
            with turn:
                with lock:
                    if key in kept:  # another thread was quicker
                        return kept[key][0]
                try:
                    value = function(*key)
                    weight = size_of(value)
                    with lock:
                        kept[key] = value, weight
                        while len(kept) > most or (len(kept) > 1 and sum(w for _v, w in kept.values()) > most_bytes):
                            kept.popitem(last=False)
                finally:
                    with lock:
                        waiting.pop(key, None)
            return value

        def clear():
            with lock:
                kept.clear()

        ask.cache_clear = clear
        return ask

    return decorate
