"""The engine's processes: one scheduler and a worker per lane, on the loopback address and behind TLS."""

import contextlib
import datetime
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil
from filelock import FileLock

from prunekit.core.errors import EngineUnavailable
from prunekit.core.threads import PATIENCE
from prunekit.experiments.folder import ROOT, python_path, refusal

HOST = "127.0.0.1"
# A nanny gives up on a worker that is not there by then: where much else goes on, importing torch takes a minute.
# One without a scheduler has its lifeline.
START_SECONDS = 300
IDLE_SECONDS = 1800  # an engine that nobody asked anything for this long goes away


@dataclass(frozen=True)
class Lane:
    """A kind of worker. `resources` are the Dask resources that tell its tasks from others'."""

    name: str
    resources: str
    threads: int
    memory: float  # limit, as a share of the machine's memory
    nice: int
    preload: str


# One torch worker answers both short questions and previews, each on a thread of its own.
RECORDER = Lane("recorder", "recorder=1", 1, 0.1, 0, "prunekit.experiments.recorder")
ANSWERS = Lane("answers", "quick=1 preview=1", 2, 0.4, 5, "prunekit.experiments.worker")
TRAINING = Lane("training", "training=1", 1, 0.5, 10, "prunekit.experiments.worker")


class EngineFolder:
    """The files through which processes find the one engine of a home folder."""

    def __init__(self, home: Path):
        self.home = Path(home)
        self.path = self.home / "engine"
        self.address_file = self.path / "scheduler.json"
        self.pid_file = self.path / "scheduler.pid"
        self.sources_file = self.path / "sources"
        self.logs = self.path / "logs"

    def prepare(self) -> None:
        """Makes the folder, readable by its owner alone."""
        try:
            self.logs.mkdir(parents=True, exist_ok=True)
            self.home.chmod(0o700)  # the history is nobody else's business either
            self.path.chmod(0o700)
        except OSError as error:
            raise EngineUnavailable(refusal(error, self.home)) from error

    def lock(self) -> FileLock:
        """Held while an engine is looked for and started, so that there is exactly one."""
        return FileLock(self.path / "lock", timeout=60)

    def address(self) -> str | None:
        """The scheduler's address, if one was ever started here."""
        with contextlib.suppress(OSError, ValueError, KeyError):
            return json.loads(self.address_file.read_text())["address"]
        return None

    def scheduler_pid(self) -> int | None:
        """The process of the scheduler that was started last."""
        with contextlib.suppress(OSError, ValueError):
            return int(self.pid_file.read_text())
        return None

    def scheduler_is_alive(self, pid: int | None = None) -> bool:
        """Whether the scheduler that was started last (or the one of `pid`) still runs, answering or not."""
        pid = pid or self.scheduler_pid()
        with contextlib.suppress(psutil.Error):
            return pid is not None and str(self.pid_file) in psutil.Process(pid).cmdline()
        return False

    def lane_is_alive(self, lane: Lane, address: str) -> bool:
        """Whether the nanny of a lane that was started last for the scheduler at `address` still runs.

        It starts its worker again when that dies, so a second one beside it is never wanted.
        """
        with contextlib.suppress(OSError, ValueError, psutil.Error):
            words = psutil.Process(int((self.path / f"{lane.name}.pid").read_text())).cmdline()
            return address in words and lane.name in words
        return False

    def end_leftovers(self) -> None:
        """Ends what an earlier engine of this folder left behind: without its scheduler it has nothing to work for.

        Its recorder would be a second one beside the new engine's. A nanny's worker ends with it.
        """
        scratch = str(self.path / "scratch")
        left = [p for p in psutil.process_iter(["cmdline"]) if scratch in (p.info["cmdline"] or ())]
        for process in left:
            with contextlib.suppress(psutil.Error):
                left += process.children(recursive=True)
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(left, timeout=5)

    def sources(self) -> str | None:
        """The state of the code that the engine was started with."""
        with contextlib.suppress(OSError):
            return self.sources_file.read_text()
        return None

    def security(self):
        """The TLS credentials of this engine, as Dask wants them."""
        from distributed.security import Security

        files = {part: str(self.path / f"{part}.pem") for part in ("ca", "cert", "key")}
        return Security(
            tls_ca_file=files["ca"],
            **{
                f"tls_{role}_{part}": files[part]
                for role in ("client", "scheduler", "worker")
                for part in ("cert", "key")
            },
            require_encryption=True,
        )

    def make_certificates(self) -> None:
        """New self-signed credentials for the loopback address, readable by their owner alone."""
        for part, pem in _credentials().items():
            path = self.path / f"{part}.pem"
            path.unlink(missing_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(pem)

    # -- starting ---------------------------------------------------------------------------------------------

    def start_scheduler(self, sources: str) -> None:
        """Starts a scheduler with fresh certificates; its address file appears when it listens.

        sources: the state of the code that its workers will run.
        """
        self.end_leftovers()
        try:
            self.address_file.unlink(missing_ok=True)
            self.sources_file.write_text(sources)
            self.make_certificates()
        except OSError as error:
            raise EngineUnavailable(refusal(error, self.home)) from error
        words = ["scheduler", "--host", f"tls://{HOST}", "--port", "0", "--scheduler-file", str(self.address_file)]
        words += ["--dashboard-address", f"{HOST}:0", "--no-dashboard", "--idle-timeout", str(IDLE_SECONDS)]
        words += ["--pid-file", str(self.pid_file)]
        self._spawn("scheduler", words)

    def start_lane(self, lane: Lane, address: str) -> None:
        """Starts the worker of a lane; a nanny beside it starts it again when it dies."""
        memory = int(psutil.virtual_memory().total * lane.memory)
        words = ["worker", address, "--host", f"tls://{HOST}", "--nworkers", "1", "--nthreads", str(lane.threads)]
        words += ["--name", lane.name, "--resources", lane.resources, "--memory-limit", str(memory)]
        words += [
            "--dashboard-address",
            f"{HOST}:0",
            "--no-dashboard",
            "--death-timeout",
            str(START_SECONDS),
            "--preload",
            lane.preload,
        ]
        words += ["--local-directory", str(self.path / "scratch")]
        words += ["--preload-nanny", "prunekit.experiments.lifeline"]
        self._spawn(lane.name, words, {"PRUNEKIT_NICE": str(lane.nice)})

    def _spawn(self, name: str, words: list[str], extra: dict[str, str] | None = None) -> None:
        files = [
            w
            for part in ("ca", "cert", "key")
            for w in (f"--tls-{part}{'-file' if part == 'ca' else ''}", str(self.path / f"{part}.pem"))
        ]
        environment = (
            PATIENCE
            | os.environ
            | {
                "PYTHONPATH": python_path(),
                "PRUNEKIT_HOME": str(self.home),
                # A run whose worker died is given to the next one, which only reports it: see worker.run_recipe.
                "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "3",
                # Dask would take all workers for dead when the clock jumps ahead, as it does when a laptop wakes up.
                # A worker that is really gone is noticed by its closed connection.
                "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "None",
                # Even without a dashboard there would be pages about the tasks, for anybody on this machine to read.
                "DASK_DISTRIBUTED__SCHEDULER__HTTP__ROUTES": "[]",
                "DASK_DISTRIBUTED__WORKER__HTTP__ROUTES": "[]",
                # Dask would set this to 1 for good; threads are chosen per piece of work instead.
                "DASK_DISTRIBUTED__NANNY__PRE_SPAWN_ENVIRON__OMP_NUM_THREADS": str(psutil.cpu_count() or 1),
                "DASK_DISTRIBUTED__NANNY__PRE_SPAWN_ENVIRON__MKL_NUM_THREADS": str(psutil.cpu_count() or 1),
            }
            | (extra or {})
        )
        try:
            log = open(self.logs / f"{name}.log", "ab")  # noqa: SIM115 (closed below)
        except OSError as error:
            raise EngineUnavailable(refusal(error, self.home)) from error
        with log:
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", *words, *files],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env=environment,
                # Its own session: Ctrl-C in the server's terminal, or the server's end, does not end a run.
                start_new_session=True,
            )
        # Known from the first moment, so that nobody who looks now starts another one beside it.
        with contextlib.suppress(OSError):
            (self.path / f"{name}.pid").write_text(str(process.pid))


def _credentials() -> dict[str, bytes]:
    """A certificate that is its own authority, and its key, as PEM by the name of the part.

    Dask's `Security.temporary` makes the same, but valid from this second on: a clock that is put back would shut
    everybody out who connects after that.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "dask-internal")])
    now, years = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=3652)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("dask-internal")]), critical=False)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(max(now - years, datetime.datetime(1970, 1, 2, tzinfo=datetime.UTC)))
        .not_valid_after(now + years)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {"ca": pem, "cert": pem, "key": secret}
