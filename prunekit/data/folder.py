"""Where the shipped data lies."""

from pathlib import Path

SHIPPED = Path(__file__).resolve().parents[2] / "sample_models" / "data"
