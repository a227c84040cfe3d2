"""The layers as a table: what each is and costs, and its cut and lock to edit."""

import dataclasses
from collections.abc import Mapping

import pandas
import streamlit as st

from prunekit.core.cut_table import CutTable
from prunekit.core.cuts import Cut
from prunekit.core.language import _
from prunekit.ui import state


def layer_frame(summary: dict) -> pandas.DataFrame:
    """Every layer: name, type, shape, output shape, parameters and MACs with their shares, why it is not cut."""
    layers = summary["layers"]
    parameters = max(1, sum(layer["parameters"] for layer in layers))
    macs = max(1, sum(layer["macs"] for layer in layers))
    return pandas.DataFrame(
        {
            "layer": [layer["name"] for layer in layers],
            "kind": [layer["kind"] for layer in layers],
            "shape": ["×".join(map(str, layer["shape"])) for layer in layers],
            "output": ["×".join(map(str, layer["output_shape"])) for layer in layers],
            "parameters": [layer["parameters"] for layer in layers],
            "parameter_share": [layer["parameters"] / parameters for layer in layers],
            "macs": [layer["macs"] for layer in layers],
            "mac_share": [layer["macs"] / macs for layer in layers],
            "reason": [layer["reason"] for layer in layers],
        }
    )


def layer_columns() -> dict:
    """How the columns of `layer_frame` are shown."""
    number, share = st.column_config.NumberColumn, st.column_config.ProgressColumn
    return {
        "layer": st.column_config.TextColumn(_("Layer"), pinned=True),
        "kind": _("Type"),
        "shape": _("Shape"),
        "output": _("Output"),
        "parameters": number(_("Parameters"), format="localized"),
        "parameter_share": share(_("of all"), format="percent", min_value=0, max_value=1),
        "macs": number(_("MACs"), format="localized"),
        "mac_share": share(_("of all MACs"), format="percent", min_value=0, max_value=1),
        "reason": _("Remarks"),
    }


def layer_editor(table: CutTable, rows: list[dict], summary: dict, cut: Cut, kept) -> None:
    """The editable table of rows that can be cut; an edit becomes the cut at once."""
    frame = _editor_frame(table, rows, summary, cut, kept)
    key = _editor_key(cut)
    columns = layer_columns() | {
        "units": st.column_config.NumberColumn(_("Units"), format="localized"),
        "kept": st.column_config.NumberColumn(_("Kept"), format="localized"),
        "kept_share": st.column_config.ProgressColumn(_("Kept share"), format="percent", min_value=0, max_value=1),
        "own": st.column_config.NumberColumn(
            _("Own cut (%)"),
            min_value=0.0,
            max_value=100.0,
            format="%g",
            help=_("Percent to prune here; empty follows the whole net."),
        ),
        "locked": st.column_config.CheckboxColumn(_("Locked"), help=_("Nothing is pruned in a locked layer.")),
    }
    st.data_editor(
        frame,
        key=key,
        hide_index=True,
        column_config=columns,
        disabled=[name for name in frame.columns if name not in ("own", "locked")],
        on_change=_edited,
        args=(key, table.names),
    )


def _editor_frame(table: CutTable, rows: list[dict], summary: dict, cut: Cut, kept) -> pandas.DataFrame:
    of_layer = layer_frame(summary).set_index("layer")
    names = [row["layer"] for row in rows]
    frame = of_layer.reindex(names)[["kind", "shape", "parameters", "parameter_share", "macs", "mac_share"]]
    frame.insert(0, "layer", [row["label"] for row in rows])
    own = [None if name in cut.locked else cut.overrides.get(name) for name in table.names]
    frame["own"] = pandas.array([None if o is None else round(o * 100, 4) for o in own], dtype="Float64")
    frame["locked"] = [name in cut.locked for name in table.names]
    frame["kept_share"] = [k / u if u else 1.0 for k, u in zip(kept, table.units, strict=True)]
    frame["kept"] = [int(k) for k in kept]
    frame["units"] = [int(u) for u in table.units]
    return frame.reset_index(drop=True)


def _editor_key(cut: Cut) -> str:
    """A key under which the editor's own edits are still true: they lie over the data and would hide a newer cut."""
    session = st.session_state
    marks = (sorted(cut.overrides.items()), sorted(cut.locked))
    turn = session.setdefault("editor_turn", 0)
    edits = (session.get(f"layers_{turn}") or {}).get("edited_rows")
    own_doing = session.pop("editor_wrote", False)
    if session.get("editor_marks") != marks and edits and not own_doing:
        turn = session["editor_turn"] = turn + 1
    session["editor_marks"] = marks
    return f"layers_{turn}"


def _edited(key: str, names: tuple[str, ...]) -> None:
    cut = state.cut()
    overrides, locked = dict(cut.overrides), set(cut.locked)
    for index, edit in st.session_state[key]["edited_rows"].items():
        name = names[int(index)]
        if "own" in edit:
            overrides.pop(name, None)
            if edit["own"] is not None:
                overrides[name] = min(max(float(edit["own"]), 0.0), 100.0) / 100
        if "locked" in edit:
            (locked.add if edit["locked"] else locked.discard)(name)
    st.session_state["editor_wrote"] = True
    state.move_cut(dataclasses.replace(cut, overrides=overrides, locked=frozenset(locked)))


def uncut_layers(rows: list[dict], summary: dict, left_out: Mapping[str, str]) -> list[str]:
    """The layers that have no row of their own: one line for each reason, with all whom it keeps out.

    left_out: layer -> why it has nothing to cut at this granularity.
    """
    own = {row["layer"] for row in rows}
    problems = {group["name"]: group["problem"] for group in summary["groups"] if not group["prunable"]}
    together = _("Its channels are cut together with those of another layer.")
    uncut = {}
    for layer in summary["layers"]:
        if (name := layer["name"]) not in own:
            uncut[name] = layer["reason"] or left_out.get(name) or problems.get(name) or together
    return layers_by_reason(uncut)


def layers_by_reason(reasons: Mapping[str, str]) -> list[str]:
    """A line for each reason, with all layers that it keeps out; reasons: layer -> sentence."""
    names: dict[str, list[str]] = {}
    for layer, reason in reasons.items():
        names.setdefault(reason, []).append(layer)
    return [f"{', '.join(them)}: {reason}" for reason, them in names.items()]
