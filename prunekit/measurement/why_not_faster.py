"""Why a pruned network is not as much faster as its MACs promise, in one sentence."""

from collections.abc import Mapping

from prunekit.core.language import _

CLEARLY_BELOW = 0.8  # a measured speedup under this share of the theoretical one asks for a reason
OVERHEAD_MS = 0.5  # a forward pass this short is mostly the cost of calling operations
BLOCK = 8  # channels that vector kernels take at a time


def why_not_faster(
    before: Mapping, after: Mapping, *, speedup: float, before_ms: float, channels: Mapping[str, int] | None = None
) -> str:
    """A sentence where the measured speedup is clearly below what was taken out; an empty string where it is not.

    before, after: the `parameters`, `nonzero` and `macs` of a profile or a run (`macs` counted on the network as it
    is); speedup: measured, before / after; before_ms: latency of the untouched network in milliseconds;
    channels: layer -> its output channels in the pruned network.
    """
    zeros = after["parameters"] == before["parameters"] and after["nonzero"] < before["nonzero"]
    counted = "nonzero" if zeros else "macs"
    promised = before[counted] / max(after[counted], 1)
    if promised <= 1.05 or speedup >= CLEARLY_BELOW * promised:
        return ""
    if zeros:
        return _("Zeros stay in place: the layers keep their shapes and compute every zero like any other number.")
    if before_ms < OVERHEAD_MS:
        return _(
            "The whole network takes only {ms} ms; calling its layers costs more than their arithmetic, however small."
        ).format(ms=f"{before_ms:.2f}")
    odd = {name: count for name, count in (channels or {}).items() if count % BLOCK}
    if odd:
        name, count = max(odd.items(), key=lambda item: item[1])
        return _(
            "Channels left in {layer}: {count}. CPU kernels work on blocks of {block}; the last is computed in full. "
            "Rounding channels to multiples of {block} avoids that."
        ).format(layer=name, count=count, block=BLOCK)
    return _("What was removed is a small part of the time: reading memory and the layers without MACs take the rest.")
