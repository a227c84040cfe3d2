"""`prunekit prune`: runs one recipe here and now, and says what came of it."""

import json
from pathlib import Path

from prunekit.commands.options import (
    add_knobs,
    add_model,
    add_own_cuts,
    add_setting,
    add_settings,
    number,
    pairs,
    shared_fields,
)
from prunekit.core.cuts import RULE, check_fraction
from prunekit.core.disk import not_ours
from prunekit.core.errors import BadSetting, CorruptFile
from prunekit.core.language import N_, _
from prunekit.core.recipe import Recipe, Training
from prunekit.core.settings import settings_of
from prunekit.experiments.folder import make_writable

HELP = N_("Prune and fine-tune a sample model by a recipe.")
SHARED = ("scorer", "granularity", *RULE, "schedule", "rounds", "calibration", "seed")


def arguments(parser) -> None:
    add_model(parser)
    parser.add_argument(
        "--recipe", type=Path, help=_("a JSON file with a whole recipe; other recipe options are ignored")
    )
    known = {s.name: s for s in settings_of(Recipe)}
    for name in SHARED:
        add_setting(parser, known[name])
    amount = parser.add_mutually_exclusive_group()
    amount.add_argument("--sparsity", type=float, help=_("fraction of the units to prune, 0 to 1"))
    amount.add_argument("--target", metavar="WHAT=AMOUNT", help=_("for example parameters=0.5: half of them gone"))
    add_knobs(parser)
    add_own_cuts(parser)
    add_settings(parser, Training)
    parser.add_argument("--out", type=Path, help=_("a folder for weights.safetensors and plan.json"))


def run(options) -> dict:
    """Runs the recipe; progress goes to stderr, the figures are returned (and printed for people without --json)."""
    recipe = _recipe(options)
    if options.out is not None:
        _check_folder(options.out)
    from prunekit.pruning import execute
    from prunekit.training.allocation import keep_freed_memory
    from prunekit.training.threads import idle_threads

    keep_freed_memory()
    outcome = execute(recipe, report=_narrate, threads=idle_threads())
    # Counter 0: a run of the command line is not in the app's history.
    result = outcome.result | {"run_id": f"{recipe.fingerprint}-0"}
    if options.out is not None:
        outcome.save(options.out)
        result["out"] = str(options.out)
    if not options.json:
        _print(result)
    return result


def _recipe(options) -> Recipe:
    if options.recipe is not None:
        try:
            return Recipe.from_plain(json.loads(options.recipe.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            if isinstance(error, BadSetting):
                raise
            sentence = _("The recipe {path} cannot be read; it should be a JSON file.")
            raise CorruptFile(sentence.format(path=options.recipe)) from error
    target, amount = "sparsity", 0.5
    if options.sparsity is not None:
        amount = options.sparsity
        check_fraction(amount, _("Sparsity"))
    elif options.target is not None:
        ((target, value),) = pairs([options.target], "--target").items()
        amount = number(value, _("The amount of --target"))
    return Recipe(
        options.model,
        target=target,
        amount=amount,
        **shared_fields(options),
        **{name: getattr(options, name) for name in SHARED},
    )


def _check_folder(folder: Path) -> None:
    # Before the run, not after it: nobody wants to train for an hour and then hear that the folder is no folder.
    try:
        make_writable(folder)
    except OSError as error:
        raise BadSetting(not_ours(folder, "--out")) from error


def _narrate(event: dict) -> None:
    from prunekit.commands.line import tell

    if event["kind"] == "phase":
        tell(_("{phase} …").format(phase=event["phase"]))
    elif event["kind"] == "cut":
        tell(
            _("cut to sparsity {s:.4f}: validation {v:.4f} before fine-tuning").format(
                s=event["sparsity"], v=event["validation"]
            )
        )
    elif event["kind"] == "precision":
        tell(event["sentence"])
    elif event["kind"] == "floor":
        tell(_("kept one unit each of {rows}, which would have vanished").format(rows=", ".join(event["rows"])))
    elif event["kind"] == "epoch":
        sentence = _("epoch {epoch} of {epochs}: loss {loss:.4f}, training {train:.4f}, validation {validation:.4f}")
        tell(sentence.format(**event))


def _print(result: dict) -> None:
    rows = [
        ("sparsity", f"{result['sparsity_actual']:.4f}"),
        (
            f"validation {result['metric']}",
            " -> ".join(f"{result[f'validation_{k}']:.4f}" for k in ("baseline", "pruned", "finetuned")),
        ),
        (f"test {result['metric']}", f"{result['test_baseline']:.4f} -> {result['test_finetuned']:.4f}"),
        *(
            (what, f"{result[what + '_before']:,} -> {result[what + '_after']:,}")
            for what in ("parameters", "nonzero", "macs", "bytes")
        ),
        (
            f"latency, batch {result['latency_batch']}",
            f"{result['latency_ms_before']:.3f} -> {result['latency_ms_after']:.3f} ms",
        ),
        ("measured speedup", f"{result['speedup']:.2f}"),
        ("theoretical speedup", f"{result['macs_before'] / max(result['macs_after'], 1):.2f}"),
    ]
    for name, value in rows:
        print(f"{name:22} {value}")
