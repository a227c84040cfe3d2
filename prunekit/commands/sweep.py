"""`prunekit sweep`: many recipes, one after another, in this process; cut off, the same command goes on."""

import argparse
import dataclasses
import time
from pathlib import Path

from prunekit.commands.options import add_knobs, add_model, add_own_cuts, add_setting, add_settings, shared_fields
from prunekit.core.cuts import GRANULARITIES, RULE
from prunekit.core.errors import BadSetting, PrunekitError, Stopped, StoreUnavailable
from prunekit.core.language import N_, _, ngettext
from prunekit.core.recipe import Recipe, Training
from prunekit.core.settings import settings_of
from prunekit.core.sweep import Sweep, read_amounts, shared_by

HELP = N_("Prune by many recipes: criteria x amounts x granularities x seeds.")
SHARED = (*RULE, "schedule", "rounds", "calibration")


def arguments(parser) -> None:
    add_model(parser)
    parser.add_argument("--scorers", default="taylor", metavar="A,B", help=_("criteria, with commas between them"))
    parser.add_argument(
        "--controls",
        action=argparse.BooleanOptionalAction,
        default=True,
        help=_("magnitude and random too, as every comparison needs them"),
    )
    parser.add_argument(
        "--amounts", default="0.3,0.5,0.7", metavar="X,Y", help=_("how much to take away, as fractions (0.5) or 50%%")
    )
    known = {s.name: s for s in settings_of(Recipe)}
    add_setting(parser, dataclasses.replace(known["target"], help=N_("What the amounts count.")))
    some = _("some of {known}").format(known=", ".join(GRANULARITIES))
    parser.add_argument("--granularities", default="channel", metavar="A,B", help=some)
    parser.add_argument("--seeds", default="0,1,2", metavar="N,M", help=_("one run of everything for each"))
    for name in SHARED:
        add_setting(parser, known[name])
    add_knobs(parser, N_("a setting of the first criterion"))
    add_own_cuts(parser)
    add_settings(parser, Training)
    parser.add_argument("--timed", action="store_true", help=_("measure the latency of each pruned model too"))
    parser.add_argument("--estimate", action="store_true", help=_("only say how long it will take"))
    parser.add_argument(
        "--state", type=Path, metavar="DIR", help=_("where runs are kept; the same command goes on from there")
    )
    parser.add_argument("--out", type=Path, metavar="FILE.csv", help=_("a file for the table"))


def run(options) -> dict:
    """Runs what is not finished yet; progress goes to stderr, the table of means is returned (and printed)."""
    from filelock import FileLock, Timeout

    from prunekit.experiments.folder import home
    from prunekit.experiments.ledger import Ledger

    sweep = sweep_of(options)
    folder = options.state or home() / "sweeps" / sweep.fingerprint
    if options.out is not None:
        _check_file(options.out)
    if (folder / "engine").exists():
        sentence = _("{folder} is the history of the app, which its engine writes; choose another --state.")
        raise BadSetting(sentence.format(folder=folder))
    store = Ledger(folder)
    _tell_left_out(sweep)
    if options.estimate:
        return _say_estimate(sweep, store, options)
    try:
        with FileLock(folder / "lock", timeout=0):
            return _finish(sweep, store, options)
    except Timeout as error:
        sentence = _("Another process is running a sweep in {folder}; wait for it, or choose another --state.")
        raise BadSetting(sentence.format(folder=folder)) from error


def sweep_of(options) -> Sweep:
    """The sweep that the options say."""
    scorers, granularities = _words(options.scorers), _words(options.granularities)
    both = shared_by(scorers[:1], granularities)
    first = Recipe(
        options.model,
        # Another value is named by the sweep itself, with the ones that would do.
        scorer=scorers[0] if scorers else Recipe().scorer,
        granularity=both[1] if both else next(iter(granularities), Recipe().granularity),
        target=options.target,
        **shared_fields(options),
        **{name: getattr(options, name) for name in SHARED},
    )
    return Sweep(
        first, scorers, read_amounts(options.amounts, percent=False), granularities, _seeds(options.seeds),
        controls=options.controls,
    )  # fmt: skip


def _finish(sweep: Sweep, store, options) -> dict:
    """Runs whatever is missing, and tells what came of it all."""
    from prunekit.experiments.local import run_here
    from prunekit.reports.progress import duration
    from prunekit.training.allocation import keep_freed_memory

    keep_freed_memory()
    recipes, runs, failed, started = sweep.recipes(), [], 0, time.monotonic()
    sweep_id, _new, _known = store.add_sweep(sweep.to_plain(), sweep.fingerprint, sweep.name()[:200], [])
    try:
        for place, recipe in enumerate(recipes):
            known = _finished(store, recipe)
            if known is None:
                _say(_("[{n}/{all}] {title}").format(n=place + 1, all=len(recipes), title=recipe.title()))
            try:
                run = run_here(recipe, store, _narrate, timed=options.timed, role="sweep")
            except StoreUnavailable:
                raise
            except PrunekitError as error:  # one recipe's own fault; the others may do
                failed += 1
                _say(f"    {error}")
                continue
            runs.append(run)
            store.link(sweep_id, run.id, place)
            if known is None:
                figures = {k: run.result[f"validation_{k}"] for k in ("baseline", "pruned", "finetuned")}
                sentence = _("    validation {baseline:.4f} -> {pruned:.4f} cut -> {finetuned:.4f} fine-tuned")
                _say(sentence.format(**figures))
                if left := _estimate(store, recipes[place + 1 :]).seconds:
                    _say(_("    about {time} left").format(time=duration(left)))
    except KeyboardInterrupt as error:
        sentence = _("Stopped with {n} of {all} runs finished; the same command goes on from there.")
        raise Stopped(sentence.format(n=len(runs), all=len(recipes))) from error
    if not runs:
        raise PrunekitError(_("None of these runs could be finished."))
    answer = {"runs": len(recipes), "finished": len(runs), "failed": failed, "seconds": time.monotonic() - started}
    return _told(sweep, runs, options) | answer | {"state": str(store.folder)}


def _told(sweep: Sweep, runs: list, options) -> dict:
    """Prints the table for people and writes the file, if wanted; the rows."""
    from prunekit.reports.sweep_table import sweep_csv, sweep_lines

    lines = sweep_lines(runs)
    if options.out is not None:
        options.out.write_text(sweep_csv(lines), encoding="utf-8")
    if not options.json:
        _print(lines)
    rows = [dataclasses.asdict(line) for line in lines]
    out = {"out": str(options.out)} if options.out is not None else {}
    return {"sweep": sweep.fingerprint, "name": sweep.name(), "left_out": sweep.left_out(), "rows": rows} | out


def _finished(store, recipe: Recipe):
    known = store.same(recipe.fingerprint)
    return known if known is not None and known.state == "finished" else None


# -- how long it will take ------------------------------------------------------------------------------------


def _say_estimate(sweep: Sweep, store, options) -> dict:
    from prunekit.experiments.answers import training_pace
    from prunekit.reports.progress import duration

    recipes = sweep.recipes()
    missing = [recipe for recipe in recipes if _finished(store, recipe) is None]
    found = _estimate(store, missing)
    if found.seconds is None:
        training = sweep.base.training
        pace = training_pace(sweep.base.model, training.batch_size, training.precision, training.distillation, 0)
        found = _estimate(store, missing, pace)
    done = len(recipes) - len(missing)
    if not options.json:
        print(_("{n} runs, {done} of them already done").format(n=len(recipes), done=done))
        if controls := [scorer for scorer in sweep.criteria if scorer not in sweep.scorers]:
            sentence = _("with the controls {names}, as every comparison needs them (without: --no-controls)")
            print(sentence.format(names=", ".join(controls)))
        if missing:
            print(_("about {time}, {source}").format(time=duration(found.seconds), source=found.source))
    return {"runs": len(recipes), "known": done, "seconds": found.seconds, "source": found.source}


def _estimate(store, recipes, pace: dict | None = None):
    from prunekit.experiments.estimates import estimate

    return estimate(recipes, store.runs(), pace)


# -- what is typed --------------------------------------------------------------------------------------------


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for part in text.split(",") if (word := part.strip()))


def _seeds(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(word) for word in _words(text))
    except ValueError as error:
        sentence = _("“{given}” is no list of seeds; write whole numbers with commas between them, such as 0,1,2.")
        raise BadSetting(sentence.format(given=text)) from error


def _check_file(path: Path) -> None:
    # Before the runs, not after them.
    try:
        new = not path.exists()
        with open(path, "a", encoding="utf-8"):
            pass
        if new:
            path.resolve().unlink()
    except OSError as error:
        raise BadSetting(_("The file {path} cannot be written; choose another --out.").format(path=path)) from error


# -- what is told ---------------------------------------------------------------------------------------------


def _tell_left_out(sweep: Sweep) -> None:
    for scorer, granularity in sweep.left_out():
        sentence = _("left out: {scorer} has no answer for granularity {granularity}")
        _say(sentence.format(scorer=scorer, granularity=granularity))


def _narrate(event: dict) -> None:
    if event["kind"] == "epoch":
        _say(_("    epoch {epoch} of {epochs}: validation {validation:.4f}").format(**event))
    elif event["kind"] == "floor":
        _say(_("    kept one unit each of {rows}, which would have vanished").format(rows=", ".join(event["rows"])))


def _say(sentence: str) -> None:
    from prunekit.commands.line import tell

    tell(sentence)


def _print(lines: list) -> None:
    metric = lines[0].metric
    print(
        f"{'criterion':22} {'granularity':11} {'amount':>7}  {'validation ' + metric:>21}  {'test':>17}"
        f" {'parameters gone':>16} {'MACs gone':>10}  {'against the best'}"
    )
    for line in lines:
        print(
            f"{line.criterion[:22]:22} {line.granularity:11} {line.amount:7.3g}"
            f"  {_with_spread(line.validation, line.validation_spread):>21}"
            f"  {_with_spread(line.test, line.test_spread):>17}"
            f" {line.parameters_gone:16.3f} {line.macs_gone:10.3f}  {line.standing or '–'}"
        )
    seeds = sorted({line.seeds for line in lines})
    words = ngettext("Mean over {n} seed", "Mean over {n} seeds", seeds[-1]).format(n="-".join(map(str, seeds)))
    print(_("{mean}, ± their standard deviation.").format(mean=words))


def _with_spread(mean: float, spread: float | None) -> str:
    return f"{mean:.4f}" if spread is None else f"{mean:.4f} ± {spread:.4f}"
