"""What a network costs, counted and measured: parameters, MACs, bytes, memory and latency."""

from prunekit.measurement.environment import environment
from prunekit.measurement.latency import Latency, compare_latency, latency
from prunekit.measurement.memory import peak_memory_bytes
from prunekit.measurement.profile import Profile, profile
from prunekit.measurement.why_not_faster import why_not_faster

__all__ = [
    "Latency",
    "Profile",
    "compare_latency",
    "environment",
    "latency",
    "peak_memory_bytes",
    "profile",
    "why_not_faster",
]
