"""What a model is made of: its layers in the order they run, and the channels that go together."""

import numpy as np

from prunekit.core.errors import CannotPrune
from prunekit.experiments.answers.subjects import groups_of, model_of
from prunekit.structure import example_inputs_of, layers, weight_costs, weight_names
from prunekit.structure.groups import Group


def summary(model_id: str) -> dict:
    """What a model is made of: its layers in the order they run, and the channels that go together."""
    model = model_of(model_id)
    inputs = example_inputs_of(model)
    found = layers(model, inputs)
    groups, untraced = _groups_or_reason(model_id)
    weighted = {layer.name for layer in found if layer.prunable}
    totals = weight_costs(model, inputs)
    whole = totals.totals(np.array([model.get_parameter(name).numel() for name in weight_names(model)]))
    return {
        "model": model_id,
        "parameters": whole["parameters"],
        "macs": whole["macs"],
        "bytes": whole["bytes"],
        "layers": [
            {
                "name": layer.name,
                "kind": layer.kind,
                "shape": list(layer.shape),
                "output_shape": list(layer.output_shape),
                "parameters": layer.parameters,
                "macs": layer.macs,
                "prunable": layer.prunable,
                "reason": layer.reason,
            }
            for layer in found
        ],
        "groups": [
            {
                "name": group.name,
                "units": group.units,
                "layers": sorted({member.layer for member in group.members}),
                "together": [member.layer for member in group.producers if member.layer in weighted],
                "prunable": group.prunable,
                "problem": group.problem,
                "exact": group.exact,
                "inexact_because": group.inexact_because,
            }
            for group in groups
        ],
        "untraced": untraced,
    }


def _groups_or_reason(model_id: str) -> tuple[tuple[Group, ...], str]:
    """The channel groups; where they cannot be found none, and why, since single weights can be pruned all the same."""
    try:
        return groups_of(model_id), ""
    except CannotPrune as error:
        return (), str(error)
