"""What a model is made of: its layers, the channel groups that must go together, and what they cost."""

from prunekit.structure.costs import channel_costs, weight_costs
from prunekit.structure.file_size import file_bytes
from prunekit.structure.groups import Group, Member, channel_groups
from prunekit.structure.inputs import example_inputs_of
from prunekit.structure.kinds import group_kinds, weight_kinds
from prunekit.structure.layers import Layer, count_macs, layers
from prunekit.structure.parts import Parts, no_parts, weight_parts, without_parts
from prunekit.structure.weights import weight_names

__all__ = [
    "Group",
    "Layer",
    "Member",
    "Parts",
    "channel_costs",
    "channel_groups",
    "count_macs",
    "example_inputs_of",
    "file_bytes",
    "group_kinds",
    "layers",
    "no_parts",
    "weight_costs",
    "weight_kinds",
    "weight_names",
    "weight_parts",
    "without_parts",
]
