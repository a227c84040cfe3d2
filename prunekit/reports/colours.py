"""The colours of charts: the same criterion has the same one everywhere, on a light page and on a dark one.

There are more criteria than colours that eyes tell apart: those that share one differ in the shape of their sign.
"""

from prunekit.core.descriptions import scorer_descriptions

# Middle tones: at least 3:1 against both a white and a near-black page.
COLOURS = ("#1a936f", "#dd5e33", "#4a80cf", "#b5881a", "#9a63b8", "#2f98a3", "#c84f7a", "#7f8f3d", "#957f68", "#6f7f8b")
MUTED = "#87938c"
GRID = "rgba(128, 140, 134, 0.22)"


def colour_of(scorer: str) -> str:
    """The colour of a criterion: the same one on every chart, whatever else is drawn."""
    return COLOURS[_place(scorer) % len(COLOURS)]


def shape_of(scorer: str) -> int:
    """Which of three shapes the sign of a criterion has: no two criteria share both colour and shape."""
    return _place(scorer) // len(COLOURS) % 3


def _place(scorer: str) -> int:
    names = list(scorer_descriptions())
    return names.index(scorer) if scorer in names else len(COLOURS) - 1
