"""The colours of charts: the same criterion has the same one everywhere, on a light page and on a dark one."""

from prunekit.core.descriptions import scorer_descriptions

# Middle tones: at least 3:1 against both a white and a near-black page.
COLOURS = ("#1a936f", "#dd5e33", "#4a80cf", "#b5881a", "#9a63b8", "#2f98a3", "#c84f7a", "#7f8f3d", "#957f68", "#6f7f8b")
MUTED = "#87938c"
GRID = "rgba(128, 140, 134, 0.22)"


def colour_of(scorer: str) -> str:
    """The colour of a criterion: the same one on every chart, whatever else is drawn."""
    names = list(scorer_descriptions())
    return COLOURS[names.index(scorer) % len(COLOURS)] if scorer in names else COLOURS[-1]
