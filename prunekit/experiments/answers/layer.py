"""What is inside one layer: its filters, what they answer to one input, its single weights; with their ranks."""

import numpy as np
import torch

from prunekit.core.cards import model_card
from prunekit.core.cuts import ZEROED
from prunekit.core.errors import UnknownName
from prunekit.core.language import _
from prunekit.experiments.answers.subjects import groups_of, model_of, preview_split, scores_of
from prunekit.selection import order_of
from prunekit.structure import weight_parts
from prunekit.structure.axes import channel_tensors
from prunekit.structure.tracing_copy import tracing_copy

MOST_UNITS = 512  # that are drawn
MOST_SIDE = 512  # of a matrix of weights
MOST_RANKED = 4_000_000  # weights


def inside(
    model_id: str,
    scorer: str,
    knobs: dict,
    granularity: str,
    seed: int,
    calibration: int,
    row: str,
    example: int,
    scope: str = "layer",
) -> dict:
    """What there is to see of a row of scores, whatever is cut of it by a scope.

    "ranks": (units,) or, for what becomes zeros, (outputs, inputs): 0 is what goes first, in the order of the mask, and
    all weights of a unit have its rank; None for more units than can be ranked while others wait;
    "all": how many units there are, of which those of the ranks may be a part.
    For channels "filters": (units, h, w) the mean over each filter's inputs, or (units, h, w, 3) of three inputs, None
    where a filter is a single number or no image; "maps": (units, h, w) what the layer gives for a validation example,
    "input": that example, (h, w) or (h, w, 3) in [0, 1], each None where it is no image; "target", "answer": the class
    it is of and the one that the model takes it for, by number. For what becomes zeros "matrix": (outputs, inputs), or
    a corner of it, with the "shape" of it all.
    """
    scores = scores_of(model_id, scorer, knobs, granularity, seed, calibration)
    if row not in scores:
        raise UnknownName.of(_("row of scores"), row, scores)
    if scores[row].numel() > MOST_RANKED:
        return {"all": scores[row].numel(), "ranks": None}
    ranks = order_of(scores[row], scope)
    if granularity in ZEROED:
        matrix = model_of(model_id).get_parameter(row).detach().flatten(1)
        parts = weight_parts(model_of(model_id), granularity)[row]
        return {
            "all": ranks.numel(),
            "ranks": parts.corner(ranks, MOST_SIDE).numpy(),
            "matrix": matrix[:MOST_SIDE, :MOST_SIDE].float().numpy(),
            "shape": list(matrix.shape),
        }
    units = torch.linspace(0, len(ranks) - 1, min(len(ranks), MOST_UNITS)).round().long()
    by_rank = ranks.argsort()[units]  # evenly spaced among the ranks, where there are too many to draw
    units = by_rank.sort().values
    name = row.partition("[")[0]  # a second group of a layer has a number behind its name
    # A unit's number is its place in the group; where it is in the layer, the group says.
    [places] = [m.positions[:, 0] for g in groups_of(model_id) if g.name == row for m in g.producers if m.layer == name]
    dimension = channel_tensors(model_of(model_id), name, "out")[f"{name}.weight"]
    return {
        "all": len(ranks),
        "ranks": ranks[units].numpy(),
        "filters": _filters(model_of(model_id).get_parameter(f"{name}.weight"), dimension, places[units]),
    } | _answers(model_id, name, places[units], example)


def _filters(weight: torch.Tensor, dimension: int, places: torch.Tensor) -> np.ndarray | None:
    if weight.dim() != 4 or weight.shape[-1] * weight.shape[-2] < 2:
        return None
    chosen = weight.detach().index_select(dimension, places).movedim(dimension, 0).float()
    return (chosen.movedim(1, -1) if chosen.shape[1] == 3 else chosen.mean(1)).contiguous().numpy()


def _answers(model_id: str, layer: str, places: torch.Tensor, example: int) -> dict:
    """What the layer and the model say of one example."""
    told = {"maps": None, "input": None, "target": None, "answer": None}
    card = model_card(model_id)
    if card.lack_of_data():
        return told
    split = preview_split(model_id).take([example % len(preview_split(model_id))])
    [(inputs, targets)] = split.batches(1)
    twin, seen = tracing_copy(model_of(model_id)), []  # the model itself answers others meanwhile
    twin.get_submodule(layer).register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    with torch.inference_mode():
        answer = twin(inputs)
    if seen and seen[0].dim() == 4:
        told["maps"] = seen[0][0, places].numpy()
    if card.task.name == "classification":
        told |= {"target": int(targets[0]), "answer": int(answer.argmax())}
    raw = split.inputs[0]
    if raw.dtype == torch.uint8 and raw.dim() == 3 and raw.shape[0] in (1, 3):
        image = raw.float() / 255
        told["input"] = (image.movedim(0, -1) if len(raw) == 3 else image[0]).numpy()
    return told
