"""`make bench`: measures every row, or the named ones, and saves them."""

import sys
import time
from pathlib import Path

from tests import results
from tests.benchmarks import cut_counts, deciding, healing, pages

RESULTS = Path(__file__).with_name("results.json")

# Each function measures the rows it is listed with, in one go.
BENCHMARKS = {
    cut_counts.measure: ("cut_counts_138m_ms",),
    deciding.measure_mask: ("global_mask_vs_torch_ratio",),
    deciding.measure_taylor: ("taylor_vs_torch_pruning_ratio",),
    deciding.measure_sensitivity: ("sensitivity_resnet56_ratio", "sensitivity_lenet_s"),
    deciding.measure_previews: ("preview_sweep_channels_ratio", "preview_sweep_weights_ratio"),
    healing.measure_throughput: ("finetune_throughput_ratio",),
    healing.measure_removed: ("removed_step_time_ratio",),
    pages.measure_start: ("first_histogram_s", "start_to_chart_s"),
    pages.measure_drag: ("drag_work_ms", "drag_slow_frames_share"),
    pages.measure_slider: ("slider_repaint_ms", "slider_scale_ratio", "slider_while_training_ratio"),
}


def main(names: list[str]) -> int:
    """Runs the benchmarks that have the named rows, or all; exit code 1 when a goal is missed."""
    known = [name for rows in BENCHMARKS.values() for name in rows]
    for name in names:
        if name not in known:
            print(f"There is no row {name}; choose among: {', '.join(known)}")
            return 2
    missed, started = [], time.monotonic()
    for measure, rows in BENCHMARKS.items():
        if names and not set(rows) & set(names):
            continue
        measured = measure()
        results.save(RESULTS, measured)
        for row in measured:
            print(row, flush=True)
            missed += [] if row.met else [row.name]
    print(f"{time.monotonic() - started:.0f} s; " + (f"missed: {', '.join(missed)}" if missed else "all goals met"))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
