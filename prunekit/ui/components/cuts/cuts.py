"""What the picture of cuts is given, and what it tells: Python's side of `cuts.js`."""

import base64
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import streamlit as st

from prunekit.core.cut_table import CutTable
from prunekit.core.cuts import LANES, Cut
from prunekit.core.fingerprint import fingerprint
from prunekit.core.language import _

HERE = Path(__file__).parent

# Scores a row sends to the browser: all of them up to here, so that counts there are exact; else as many at evenly
# spaced ranks. 513 float32 are 2.7 KB of text, 55 KB for 20 rows.
POINTS = 513

_picture = st.components.v2.component(
    "prunekit.cuts",
    html='<div class="cuts"></div>',
    css=(HERE / "cuts.css").read_text(encoding="utf-8"),
    # One module from three files, each of one idea: a component's JavaScript cannot import a neighbour.
    js="\n".join((HERE / name).read_text(encoding="utf-8") for name in ("counts.js", "histogram.js", "cuts.js")),
)
_reply = st.components.v2.component("prunekit.cuts_reply", js=(HERE / "reply.js").read_text(encoding="utf-8"))


def picture_data(
    table: CutTable,
    rows: list[dict],
    kinds: dict[str, str],
    *,
    key: str,
    model: str,
    view: str,
    rule: Mapping,
    signed: bool,
    axis: str,
    what: str,
) -> dict:
    """The constant part of the picture: it changes only when another question is asked.

    rows: for each row of the table a dict of name, label, layer and what to draw: low, high (in decades if "log"),
    counts (bins). kinds: layer name -> "Conv2d". model: what undo and redo are of. view: "importance" or "weights";
    rule: what the cuts have in common (see `core.cuts.RULE`); signed: the weights are drawn with the cut at plus and
    minus the threshold; axis: the words below the picture; what: what is counted ("channels").
    """
    drawn = [
        {
            "name": name,
            "label": row["label"],
            "kind": kinds.get(row["layer"], ""),
            "units": int(units),
            "facts": [table.rows[i].kind, table.rows[i].sides, table.rows[i].lane],
            "edges": _packed(table.scores_at(i, POINTS)),
            "low": _short(row["low"]),
            "high": _short(row["high"]),
            "log": bool(row.get("log", False)),
            "counts": [int(count) for count in row["counts"]],
        }
        for i, (name, units, row) in enumerate(zip(table.names, table.units, rows, strict=True))
    ]
    return {
        "board": fingerprint([key, view, dict(rule), axis]),
        "model": model,
        "rows": drawn,
        **rule,
        "signed": signed,
        "view_only": (view == "weights" and not signed) or rule["scope"] in LANES,
        "lineless": rule["scope"] in LANES,
        "words": _words(axis, what, rule["scope"]),
    }


def cuts_picture(data: dict, key: str, on_cut) -> None:
    """Draws the picture; `on_cut()` is called when the hand has moved something, with the message in session state."""
    _picture(key=key, data=data, default={"cut": None}, on_cut_change=on_cut)


def cuts_reply(data: dict, cut: Cut, kept: np.ndarray, *, focus: str, revision: int, seq: int, key: str) -> None:
    """Tells the picture the exact kept counts of `cut`; it takes over the cut itself when `revision` is new to it."""
    _reply(
        key=key,
        height=1,
        data={
            "board": data["board"],
            "cut": cut.to_plain(),
            "focus": focus,
            "kept": [int(count) for count in kept],
            "revision": revision,
            "seq": seq,
        },
    )


def _packed(scores: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(scores, dtype="<f4").tobytes()).decode()


def _short(number: float) -> float:
    return float(f"{float(number):.6g}")


def _words(axis: str, what: str, scope: str) -> dict[str, str]:
    """The picture's sentences in the visitor's language; names in braces are filled in there."""
    return {
        "prune": _("Prune"),
        "of_net": _("% of the whole net"),
        "of_others": _("% of all other layers"),
        "net": _("Cut of the whole net"),
        "net_percent": _("Cut of the whole net in percent"),
        "net_threshold": _("Threshold of the whole net, as a score"),
        "net_kept": _("{sparsity} pruned, {kept} of {units} kept"),
        "threshold": _("at score"),
        "undo": _("Undo"),
        "redo": _("Redo"),
        "reset": _("Forget all cuts and locks of single layers"),
        "layers": _("Layers"),
        "row": _("{kind} · {units}"),
        "focus": _("{kind}, {units} {what}").replace("{what}", what),
        "kept": _("{kept} of {units}"),
        "lock": _("Lock: prune nothing here"),
        "unlock": _("Unlock"),
        "own_short": _("own cut ×"),
        "follow": _("Follow the whole net again"),
        "cut_row": _("Prune"),
        "of_row": _("% of this layer"),
        "row_cut": _("Cut of this layer"),
        "row_percent": _("Cut of this layer in percent"),
        "at_score": _("at score"),
        "row_threshold": _("Threshold of this layer, as a score"),
        "row_kept": _("keeps {kept} of {units} ({share} %)"),
        "row_held": _("keeps all {units}: rounding or the floor leaves nothing to cut"),
        "row_least": _("keeps {kept} of {units}: a layer never vanishes"),
        "handle": _("Cut of {layer}"),
        "handle_text": _("{pruned} of {units} pruned, at score {score}"),
        "bin": _("{from} to {to}: {units}"),
        "axis": axis,
        "log_axis": _("{axis}, logarithmic scale").format(axis=axis),
        "lineless": _(
            "Of each {n} neighbouring inputs the lowest go, so no one score divides a layer. Where there are fewer, "
            "they count as filled up with zeros."
        ).replace("{n}", str(LANES.get(scope))),
        "view_only": _("Units are cut by importance, not by their weights: switch the view to move the line."),
    }
