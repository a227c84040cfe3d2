"""Reads the command line, runs one command, and turns errors into one sentence and an exit code."""

import argparse
import json
import os
import sys
import warnings

from prunekit.commands import app, data, models, own_scorers, profile, prune, score, sensitivity, sweep
from prunekit.core.disk import is_full, no_room
from prunekit.core.errors import BadSetting, PrunekitError
from prunekit.core.language import _

COMMANDS = {
    "models": models,
    "data": data,
    "score": score,
    "sensitivity": sensitivity,
    "prune": prune,
    "sweep": sweep,
    "profile": profile,
}
COMMANDS["app"] = app


class _Parser(argparse.ArgumentParser):
    """Words that do not fit are one sentence like every other error, and JSON where that was asked for."""

    def error(self, message: str):
        raise BadSetting(_("{message}; see --help.").format(message=message[:1].upper() + message[1:]))


def main(words: list[str] | None = None) -> int:
    """Runs one command; the exit code is 0, or that of the error (see `prunekit.core.errors`)."""
    parser = _Parser(prog="prunekit", description=_("See neural-network pruning."))
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="|".join(COMMANDS))
    for name, command in COMMANDS.items():
        sub = subparsers.add_parser(name, help=_(command.HELP), description=_(command.HELP))
        command.arguments(sub)
        if name in own_scorers.FLAGS:
            own_scorers.add_scorer_file(sub, name)
        if name != "app":
            sub.add_argument("--json", action="store_true", help=_("print one JSON object on the last line of output"))
    try:
        options = parser.parse_args(words)
    except BadSetting as error:
        given = sys.argv[1:] if words is None else words
        return _fail(str(error), error.exit_code, argparse.Namespace(json="--json" in given))
    warnings.showwarning = lambda message, *_rest: tell(str(message))
    try:
        if own := getattr(options, "scorer_file", None):
            own_scorers.use(own)
        answer = COMMANDS[options.command].run(options)
        if answer is not None and getattr(options, "json", False):
            print(json.dumps(answer))
        sys.stdout.flush()
    except PrunekitError as error:
        return _fail(str(error), error.exit_code, options)
    except KeyboardInterrupt:
        return _fail(_("Stopped."), 130, options)
    except BrokenPipeError:  # as `head` does when it has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left goes nowhere, without a word
        return 0
    except OSError as error:
        if not is_full(error):
            raise
        return _fail(no_room(), 5, options)
    return 0


def tell(sentence: str) -> None:
    """A line for people, on stderr."""
    try:
        print(sentence, file=sys.stderr, flush=True)
    except BrokenPipeError:  # nobody reads on; the command goes on all the same
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115


def _fail(sentence: str, code: int, options) -> int:
    tell(_("prunekit: {sentence}").format(sentence=sentence))
    if getattr(options, "json", False):
        print(json.dumps({"error": sentence, "exit_code": code}), flush=True)
    return code
