"""Asking the engine: short questions get a value or Pending, long work gets a run."""

import contextlib
import logging
import os
import threading
import time
import uuid
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from prunekit.core import errors
from prunekit.core.errors import CorruptFile, EngineUnavailable, PrunekitError, StoreUnavailable
from prunekit.core.language import _
from prunekit.core.own_scorers import own_descriptions
from prunekit.core.packing import unpack
from prunekit.experiments.cache import AnswerCache
from prunekit.experiments.folder import LITTLE_BYTES, disk_full, free_bytes
from prunekit.experiments.processes import ANSWERS, RECORDER, EngineFolder
from prunekit.experiments.shipped import answer_key, shipped_answer, sources_hash
from prunekit.experiments.store import Store

LOG = logging.getLogger(__name__)

# Who waits for one number goes before who measures hundreds.
PRIORITY = {"quick": 10, "preview": 0, "scan": -10}
WORKERS = {"scan": "preview"}  # whose resource a lane takes, where that is not its own
MEMORY_ENTRIES = 1024
MOST_OPEN = 256  # questions; those that nobody has looked at for longest are asked again when somebody comes back
MEMORY_BYTES = 256 * 2**20  # the ranking of all weights of a deep network takes tens of megabytes
START_SECONDS = 60
LASTING = (RECORDER.name, ANSWERS.name)  # the lanes that are always there
HIRE_AGAIN_SECONDS = 1  # a lane without its nanny is looked at twice before it is started again
DIED_SECONDS = 3  # a scheduler that is not there by then, not even as a process, will not come


@dataclass(frozen=True)
class Pending:
    """An answer that is still on its way. `state` is "off", "starting", "queued" or "computing"."""

    state: str

    @property
    def sentence(self) -> str:
        return {
            "off": _("The engine is switched off (PRUNEKIT_ENGINE=off), so this cannot be computed."),
            "starting": _("The engine is starting; this takes a few seconds."),
            "queued": _("Waiting for the engine to be free."),
            "computing": _("Computing."),
        }[self.state]


class Engine:
    """A handle on the one engine of a home folder: starts it, joins it, finds it again.

    All methods may be called from any thread. `ask` returns within about `patience` seconds, whatever the engine does.
    """

    def __init__(self, home: Path):
        self.enabled = os.environ.get("PRUNEKIT_ENGINE", "on") != "off"
        self.folder = EngineFolder(home)
        self.cache = AnswerCache(Path(home) / "answers")
        self._lock = threading.RLock()
        self._client = None
        self._futures: OrderedDict[str, object] = OrderedDict()
        self._latest: dict[tuple[str, str], str] = {}
        self._values: OrderedDict[str, tuple[object, int]] = OrderedDict()
        self._starter: threading.Thread | None = None
        self._problem: str | None = None
        self._failed_at = 0.0
        self._lanes: dict[str, str] = {}
        self._trouble: str | None = None
        self._foreign = False  # an engine started by another version of the code
        self._replaced = False

    # -- short questions --------------------------------------------------------------------------------------

    def ask(self, name: str, *args, lane: str = "quick", patience: float = 0.05, visitor: str = ""):
        """The answer of "module:function" called with `args`, or Pending.

        Arguments and answers are plain values and arrays; the first argument is the id of a model. Equal questions are
        computed once, by whoever asks; of a `visitor`'s questions on the preview lane only the latest is kept waiting.
        Raises PrunekitError with one sentence when the work failed.
        """
        key = answer_key(name, args)
        found, value = self._known(key)
        if found:
            return value
        client = self._ready()
        if self._foreign and _names_own_criterion(args):
            # It would answer by what another file calls the same.
            raise EngineUnavailable(
                _("The engine is still busy with runs that began with other criteria; yours are read when it is done.")
            )
        if client is None:
            if self._problem and not (self._starter and self._starter.is_alive()):
                raise EngineUnavailable(self._problem)
            return Pending("starting" if self.enabled else "off")
        with self._lock:
            future = self._futures.get(key)
            if future is None or future.status in ("cancelled", "lost"):
                self._withdraw_older(lane, visitor, key)
                try:
                    future = client.submit(
                        _run_named,
                        name,
                        args,
                        key=f"answer-{key}",
                        resources={WORKERS.get(lane, lane): 1},
                        priority=PRIORITY[lane],
                        pure=False,
                    )
                except Exception:  # the engine went away in this moment: the next look starts it again
                    LOG.warning("could not ask", exc_info=True)
                    return Pending("starting")
                self._futures[key] = future
                if len(self._futures) > MOST_OPEN:
                    self._futures.popitem(last=False)[1].cancel()
            self._futures.move_to_end(key)
            if visitor and lane == "preview":
                self._latest[visitor, lane] = key
        return self._collect(key, future, patience)

    def known(self, name: str, *args):
        """The answer to what was asked before, by whomever; None where it is not at hand. Nothing is started."""
        return self._known(answer_key(name, args))[1]

    def _known(self, key: str):
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return True, self._values[key][0]
        packed = shipped_answer(key) or self.cache.get(key)
        if packed is None:
            return False, None
        try:
            return True, self._remember(key, unpack(packed)["value"], len(packed))
        except CorruptFile:  # cut off while it was written, say: asked again, it is computed again
            self.cache.forget(key)
            return False, None

    def _remember(self, key: str, value, size: int):
        with self._lock:
            self._values[key] = value, size
            while len(self._values) > MEMORY_ENTRIES or (len(self._values) > 1 and self._weight() > MEMORY_BYTES):
                self._values.popitem(last=False)
        return value

    def _weight(self) -> int:
        return sum(size for _value, size in self._values.values())

    def _withdraw_older(self, lane: str, visitor: str, key: str) -> None:
        older = self._latest.get((visitor, lane)) if visitor else None
        others = {k for (v, _lane), k in self._latest.items() if v != visitor}
        if older and older != key and older not in others and older in self._futures:
            self._futures.pop(older).cancel()

    def _collect(self, key: str, future, patience: float):
        from distributed import TimeoutError as DaskTimeout

        if not future.done() and patience <= 0:
            return Pending("computing")
        try:
            # Zero would mean "do not even look" to Dask.
            packed = future.result(timeout=max(patience, 0.05))
        except (DaskTimeout, TimeoutError):
            return Pending("computing" if future.status == "pending" else "queued")
        except PrunekitError:
            raise
        except Exception as error:
            with self._lock:
                self._futures.pop(key, None)
            if future.status == "cancelled":
                return Pending("queued")
            LOG.warning("answer %s failed", key, exc_info=error)
            raise EngineUnavailable(
                _("The engine's worker died while computing this (perhaps out of memory); try again.")
            ) from error
        with self._lock:
            self._futures.pop(key, None)
            self._latest = {who: asked for who, asked in self._latest.items() if asked != key}
        answer = unpack(packed)
        if "error" in answer:
            raise getattr(errors, answer["error"], PrunekitError)(answer["sentence"])
        if not self._foreign:
            self.cache.put(key, packed)
        return self._remember(key, answer["value"], len(packed))

    # -- runs: everything goes through the recorder, the only writer of the store ------------------------------

    def start(self, recipe: dict, role: str = "run", again: bool = False, patience: float = 30.0) -> dict:
        """Queues the run of a recipe (as plain values); {"id", "known"}: known when the same was run before."""
        return self._tell("enqueue", recipe, role, again, patience=patience)

    def stop(self, run_id: str) -> None:
        """Stops a run, running or queued; finished epochs are kept."""
        self._tell("stop", run_id)

    def resume(self, run_id: str) -> None:
        """Queues a stopped or interrupted run again, from its last checkpoint."""
        self._tell("resume", run_id)

    def start_afresh(self, run_id: str) -> None:
        """The same without the checkpoint, from the beginning: one may be damaged."""
        self._tell("resume", run_id, True)

    def rename(self, run_id: str, title: str) -> None:
        self._tell("rename", run_id, title)

    def delete(self, run_id: str) -> None:
        """Deletes a run that is over, with its files."""
        self._tell("delete", run_id)

    # -- sweeps -----------------------------------------------------------------------------------------------

    def start_sweep(self, plan: dict, patience: float = 30.0) -> dict:
        """Queues the runs of a sweep (`Sweep.to_plain`) that were not run yet; {"id", "new", "known"}."""
        return self._tell("start_sweep", plan, patience=patience)

    def stop_sweep(self, sweep_id: str) -> None:
        """Stops a sweep as a whole; runs that are also somebody's own, or another sweep's, go on."""
        self._tell("stop_sweep", sweep_id)

    def resume_sweep(self, sweep_id: str) -> None:
        """Queues everything of a sweep again that was stopped, interrupted or failed, or is just being stopped."""
        self._tell("resume_sweep", sweep_id)

    def rename_sweep(self, sweep_id: str, title: str) -> None:
        self._tell("rename_sweep", sweep_id, title)

    def delete_sweep(self, sweep_id: str, with_runs: bool = False) -> None:
        """Forgets a sweep that is over, and its runs too if asked."""
        self._tell("delete_sweep", sweep_id, with_runs)

    def _tell(self, name: str, *args, patience: float = 10.0):
        if not self.enabled:
            raise EngineUnavailable(Pending("off").sentence)
        deadline = time.monotonic() + patience
        while (client := self._ready()) is None:
            failed = self._problem and not (self._starter and self._starter.is_alive())
            if failed or time.monotonic() > deadline:
                raise EngineUnavailable(self._problem or _("The engine is still starting; try again in a few seconds."))
            time.sleep(0.05)
        question = f"prunekit.experiments.recorder:{name}"
        key = f"recorder-{name}-{uuid.uuid4().hex}"
        lane = {"recorder": 1}
        try:
            future = client.submit(_run_named, question, args, key=key, resources=lane, priority=100, pure=False)
            answer = unpack(future.result(timeout=max(deadline - time.monotonic(), 1.0)))
        except Exception as error:
            raise EngineUnavailable(_("The engine does not answer; try again in a few seconds.")) from error
        if "error" in answer:
            raise getattr(errors, answer["error"], PrunekitError)(answer["sentence"])
        return answer["value"]

    # -- the engine itself ------------------------------------------------------------------------------------

    def status(self) -> dict:
        """{"state": "off" | "starting" | "ready" | "paused" | "failed", "sentence", "lanes": {name: state}, "trouble"}.

        trouble: why the recorder cannot write just now, in one sentence, if so; it keeps what it is told for later.
        """
        return self._state() | {"trouble": self._trouble}

    def _state(self) -> dict:
        client = self._client
        if not self.enabled:
            return {"state": "off", "sentence": Pending("off").sentence, "lanes": {}}
        if client is None or client.status != "running":
            if self._starter is not None and self._starter.is_alive():
                return {"state": "starting", "sentence": Pending("starting").sentence, "lanes": {}}
            if self._problem:
                return {"state": "failed", "sentence": self._problem, "lanes": {}}
            return {"state": "off", "sentence": _("The engine is off; it starts when it is needed."), "lanes": {}}
        lanes = dict(self._lanes)
        if ANSWERS.name not in lanes or RECORDER.name not in lanes:
            return {"state": "starting", "sentence": Pending("starting").sentence, "lanes": lanes}
        if "paused" in lanes.values():
            return {"state": "paused", "sentence": _("A worker is short of memory and has paused."), "lanes": lanes}
        return {"state": "ready", "sentence": _("The engine is ready."), "lanes": lanes}

    def warm_up(self) -> None:
        """Starts the engine in the background, so that it is there when it is needed."""
        self._ready()

    def close(self) -> None:
        """Lets go of the engine, which goes on by itself."""
        with self._lock:
            client, self._client = self._client, None
            self._futures.clear()
        if client is not None:
            client.close(timeout=2)

    def shut_down(self) -> None:
        """Ends the engine's processes: tests and benchmarks do this, pages never."""
        with self._lock:
            client, self._client = self._client, None
            self._futures.clear()
        if client is None:
            client = self._connect(self.folder.address())
        if client is not None:
            client.shutdown()
            client.close(timeout=2)

    def _ready(self):
        """The client, or None while the engine is being looked for or started in the background."""
        if not self.enabled:
            return None
        with self._lock:
            if self._client is not None and self._client.status == "running":
                return self._client
            starting = self._starter is not None and self._starter.is_alive()
            # After a failure the next try waits a little, so that a page that polls does not start a storm.
            if not starting and time.monotonic() - self._failed_at > 5:
                self._starter = threading.Thread(target=self._join_or_start, name="engine-start", daemon=True)
                self._starter.start()
            return None

    def _join_or_start(self) -> None:
        try:
            self._client_lost()
            self.folder.prepare()
            with self.folder.lock():
                client = self._join()
                if client is None:
                    self.folder.start_scheduler(sources_hash())
                    client = self._await_scheduler()
                self._foreign = self.folder.sources() != sources_hash()
                self._hire(client)
            self._problem = None
            self._client = client
            threading.Thread(target=self._look_after, args=(client,), name="engine-watch", daemon=True).start()
        except PrunekitError as error:
            self._problem, self._failed_at = str(error), time.monotonic()
        except Exception as error:
            LOG.exception("the engine did not start")
            sentence = _("The engine could not be started ({reason}); its log is in {folder}.")
            self._problem = sentence.format(reason=type(error).__name__, folder=self.folder.logs)
            self._failed_at = time.monotonic()

    def _join(self):
        """The client of the engine that is there, or None when a new one is to be started."""
        client = self._connect(self.folder.address())
        if client is None and self.folder.scheduler_is_alive():
            # Busy, or stopped for a while: a second engine beside it would be worse than waiting.
            client = self._await_scheduler()
        other = client is not None and self.folder.sources() != sources_hash()
        # Once: a server of the other version may be there too, and would do the same in its turn.
        if other and not self._replaced and not self._has_open_runs():
            self._replaced = True
            LOG.info("the engine runs another version of the code and has nothing to do: replacing it")
            client.shutdown()
            client.close(timeout=2)
            client = None
        return client

    def _has_open_runs(self) -> bool:
        try:
            with contextlib.closing(Store(self.folder.home)) as store:
                return any(not run.is_over for run in store.runs())
        except StoreUnavailable:  # nobody knows: better an older engine than a run that is cut off
            return True

    def _look_after(self, client) -> None:
        """Knows the lanes, so that no page waits for the scheduler, and starts one again that has gone missing."""
        missing: dict[str, float] = {}
        while self._client is client and client.status == "running":
            try:
                workers = client.scheduler_info(n_workers=-1)["workers"].values()
                self._lanes = {worker["name"]: worker.get("status", "running") for worker in workers}
                told = [worker["metrics"].get("prunekit") or {} for worker in workers]
                self._trouble = next((one["trouble"] for one in told if one.get("trouble")), None)
                missing = {n: missing.get(n, time.monotonic()) for n in LASTING if n not in self._lanes}
                if any(time.monotonic() - since > HIRE_AGAIN_SECONDS for since in missing.values()):
                    missing = {}
                    with self.folder.lock():
                        self._hire(client)
            except Exception:  # a client that is being closed raises all sorts of things
                LOG.debug("could not look after the engine", exc_info=True)
            time.sleep(0.3 if missing else 1.0)
        # It died in the middle of something: the next one says what became of it, and goes on with what waits.
        if self._client is client and self._has_open_runs():
            self._ready()

    def _client_lost(self) -> None:
        with self._lock:
            client, self._client = self._client, None
            self._lanes, self._trouble = {}, None
            self._futures.clear()
            self._latest.clear()
        if client is not None:
            client.close(timeout=1)

    def _connect(self, address: str | None):
        if address is None:
            return None
        from distributed import Client

        try:
            return Client(address, security=self.folder.security(), set_as_default=False, timeout=3)
        except (OSError, TimeoutError):  # an address file of an engine that is gone
            return None

    def _await_scheduler(self):
        started = time.monotonic()
        while time.monotonic() - started < START_SECONDS:
            client = self._connect(self.folder.address())
            if client is not None:
                return client
            if time.monotonic() - started > DIED_SECONDS and not self.folder.scheduler_is_alive():
                if free_bytes(self.folder.path) < LITTLE_BYTES:
                    raise EngineUnavailable(disk_full())
                sentence = _("The engine ended while it was starting; its log is in {folder}.")
                raise EngineUnavailable(sentence.format(folder=self.folder.logs))
            time.sleep(0.05)
        raise EngineUnavailable(
            _("The engine did not start within {seconds} seconds; its log is in {folder}.").format(
                seconds=START_SECONDS, folder=self.folder.logs
            )
        )

    def _hire(self, client) -> None:
        """Starts the lanes that are missing; the training lane comes with the first run, from the recorder."""
        there = {w["name"] for w in client.scheduler_info(n_workers=-1)["workers"].values()}
        address = client.scheduler.address
        for lane in (RECORDER, ANSWERS):
            # One whose nanny is there is being started, again perhaps, or by another server.
            if lane.name not in there and not self.folder.lane_is_alive(lane, address):
                self.folder.start_lane(lane, address)


def _names_own_criterion(args) -> bool:
    """Whether a question is about a criterion of one's own: its arguments, or lists among them, have its name."""
    own = {description["name"] for description in own_descriptions()}
    words = [w for a in args for w in (a if isinstance(a, (list, tuple)) else [a]) if isinstance(w, str)]
    return not own.isdisjoint(words)


def _run_named(name: str, args: tuple) -> bytes:
    # In the worker: resolves the name there, so that the server never imports what it asks for.
    from prunekit.experiments.naming import call
    from prunekit.experiments.worker import settle_threads

    settle_threads()
    return call(name, args)
