"""The recorder's hand: its one ledger, and what waits until a full disk or a locked store is over."""

import logging
import threading
from collections.abc import Callable

from prunekit.core.errors import StoreUnavailable
from prunekit.experiments.folder import home
from prunekit.experiments.histories import bring_in
from prunekit.experiments.ledger import Ledger
from prunekit.experiments.recovery import bring_back

LOG = logging.getLogger(__name__)


class Writer:
    """Writes what workers report, now or later, in the order it came.

    lock: held by whoever reads and then writes. trouble: why something could not be written, in one sentence, for as
    long as that lasts.
    """

    def __init__(self):
        self.lock = threading.RLock()
        self.trouble: str | None = None
        self._ledger: Ledger | None = None
        self._waiting: list[tuple] = []

    def ledger(self) -> Ledger:
        """The ledger of this process, with the studies that come with prunekit; a new one when its file is gone.

        A new one begins with the runs whose models are still there.
        """
        with self.lock:
            if self._ledger is not None and self._ledger.is_gone():
                self.close()  # before the new one is there: on closing, SQLite clears away files by their names
            if self._ledger is None:
                opened = Ledger(home())
                bring_in(opened)
                bring_back(opened)
                self._ledger = opened
            return self._ledger

    def close(self) -> None:
        """Lets go of the ledger."""
        if self._ledger is not None:
            self._ledger.close()
        self._ledger = None

    @property
    def waits(self) -> bool:
        """Whether something is still to be written."""
        return bool(self._waiting)

    def write(self, function: Callable, *args) -> bool:
        """Calls a function that writes; True when it could. It is called again later when it could not."""
        with self.lock:
            try:
                self.write_again()
                function(*args)
            except StoreUnavailable as error:
                self.tell(error)
                self._waiting.append((function, args))
                return False
            return True

    def write_again(self) -> None:
        """Writes what waits. Raises StoreUnavailable when that still cannot be."""
        with self.lock:
            while self._waiting:
                function, args = self._waiting[0]
                try:
                    function(*args)
                except StoreUnavailable:
                    raise
                except Exception:  # of a run that was deleted meanwhile, say: it must not hold up the others for ever
                    LOG.exception("what was kept for later has nowhere to go: %s of %s", function.__name__, args[0])
                self._waiting.pop(0)

    def drop(self, is_outdated: Callable[[Callable, tuple], bool]) -> None:
        """Forgets what waits and need not be written any more: calls, told by their function and its arguments."""
        with self.lock:
            self._waiting = [call for call in self._waiting if not is_outdated(*call)]

    def tell(self, error: StoreUnavailable | None) -> None:
        """What pages show until the next word; into the log once."""
        sentence = str(error) if error else None
        if sentence != self.trouble:
            LOG.warning("%s", f"could not write, keeping it for later: {sentence}" if error else "writing again")
        self.trouble = sentence
