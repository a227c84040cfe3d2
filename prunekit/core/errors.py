"""What can go wrong in words a visitor can act on: each message is one sentence that says what to do."""


class PrunekitError(Exception):
    """Anything that prunekit refuses or cannot do; `str(error)` is shown as it is, on pages and command line."""

    exit_code = 1


class BadSetting(PrunekitError, ValueError):
    """A value outside its limits, or of the wrong kind."""

    exit_code = 2


class UnknownName(PrunekitError, LookupError):
    """A model, data set, scorer or schedule that is not there."""

    exit_code = 2

    @classmethod
    def of(cls, kind: str, name: str, known) -> "UnknownName":
        """The error for `name`, with the names that would do."""
        from prunekit.core.language import _

        sentence = _("There is no {kind} called “{name}”; choose one of: {known}.")
        return cls(sentence.format(kind=kind, name=name, known=", ".join(sorted(known))))


class NeedsData(PrunekitError, ValueError):
    """A data-driven scorer was asked without a calibration set. It never falls back to another one."""

    exit_code = 2


class CannotScore(PrunekitError, ValueError):
    """A scorer that has no answer for this model or granularity."""

    exit_code = 2


class CannotPrune(PrunekitError, ValueError):
    """A layer or network that cannot be pruned as asked; the message names the layer and why."""

    exit_code = 2


class CorruptFile(PrunekitError):
    """A checkpoint or data file that does not hold what it says."""

    exit_code = 3


class EngineUnavailable(PrunekitError):
    """The engine could not be started or reached."""

    exit_code = 4


class StoreUnavailable(PrunekitError):
    """The run store could not be read or written (locked, corrupt, disk full)."""

    exit_code = 5


class Unreachable(PrunekitError):
    """A server on the internet that does not answer from here."""

    exit_code = 6


class ComingLater(PrunekitError):
    """What was asked for is on its way; the same question will find it there."""


class Stopped(PrunekitError):
    """Work that was stopped on request; what was finished is kept."""

    exit_code = 130


class FloorWarning(UserWarning):
    """A mask wanted to empty a whole layer; the best unit was kept."""
