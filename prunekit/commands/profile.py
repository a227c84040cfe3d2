"""`prunekit profile`: what a model costs: parameters, MACs, bytes, memory and measured time."""

from pathlib import Path

from prunekit.commands.options import add_model
from prunekit.core.language import N_, _

HELP = N_("Measure a sample model, or a folder that `prune --out` wrote.")


def arguments(parser) -> None:
    add_model(parser)
    parser.add_argument("--folder", type=Path, help=_("a saved model instead of a sample model"))


def run(options) -> dict:
    """Prints a line a figure, or returns them all as JSON."""
    from prunekit.measurement import profile
    from prunekit.models import load, load_model

    model = load(options.folder) if options.folder else load_model(options.model)
    plain = profile(model).to_plain()
    if not options.json:
        for name in ("parameters", "nonzero", "macs", "bytes", "peak_memory_bytes"):
            print(f"{name:18} {plain[name]:>13,}")
        for batch, figures in plain["latency"].items():
            low, middle, high = (figures[part] for part in ("low_ms", "median_ms", "high_ms"))
            print(f"latency, batch {batch:<3} {middle:>13.3f} ms  ({low:.3f} to {high:.3f})")
    return {"model": str(options.folder or options.model)} | plain
