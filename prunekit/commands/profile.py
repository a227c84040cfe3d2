"""`prunekit profile`: what a model costs: parameters, MACs, bytes, memory and measured time."""

from pathlib import Path

from prunekit.commands.options import add_model
from prunekit.core.cards import model_card
from prunekit.core.errors import BadSetting
from prunekit.core.language import N_, _

HELP = N_("Measure a model, or a folder that `prune --out` wrote.")
BATCHES = (1, 64)  # of a folder


def arguments(parser) -> None:
    add_model(parser)
    parser.add_argument(
        "--batch",
        type=int,
        action="append",
        metavar="N",
        help=_("batch size to measure, may be given again (default: 1 and 64; 1 and 8 for torchvision's networks)"),
    )
    parser.add_argument("--folder", type=Path, help=_("a saved model instead of a sample model"))


def run(options) -> dict:
    """Prints a line a figure, or returns them all as JSON."""
    for size in options.batch or ():
        if not 1 <= size <= 4096:
            raise BadSetting(_("A batch size is a number from 1 to 4096, not {given}.").format(given=size))
    from prunekit.commands.line import tell
    from prunekit.measurement import profile
    from prunekit.models import load, load_model

    if options.folder:
        model, sizes = load(options.folder), BATCHES
    else:
        card = model_card(options.model)
        model = load_model(card.id, report=tell)
        sizes = card.batch_sizes
    plain = profile(model, batch_sizes=options.batch or sizes).to_plain()
    if not options.json:
        for name in ("parameters", "nonzero", "macs", "bytes", "peak_memory_bytes"):
            print(f"{name:18} {plain[name]:>13,}")
        for batch, figures in plain["latency"].items():
            low, middle, high = (figures[part] for part in ("low_ms", "median_ms", "high_ms"))
            print(f"latency, batch {batch:<3} {middle:>13.3f} ms  ({low:.3f} to {high:.3f})")
    return {"model": str(options.folder or options.model)} | plain
