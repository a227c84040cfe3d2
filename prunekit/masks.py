"""Mask: name -> bool tensor, True keeps."""

from collections.abc import Iterable, Iterator, Mapping

import torch


class Mask(Mapping[str, torch.Tensor]):
    """Which units stay. Read-only.

    A weight mask has one entry per weight tensor, named after the parameter ("conv1.weight") and of its shape, or of
    that of its kernels, rows or tiles, which go as a whole; a channel mask has one 1-D entry per channel group, named
    after the group's first layer ("conv1").

    best: for each entry the flat index of its highest score; where a whole entry would go, that unit is the one that
    the floor of `masked_copy` and `remove_channels` keeps (the first unit, where it is not known). held: entries of
    which all units would have gone, and which the cut's own rounding or floor kept some of.
    """

    def __init__(
        self, entries: Mapping[str, torch.Tensor], best: Mapping[str, int] | None = None, held: Iterable[str] = ()
    ):
        for name, entry in entries.items():
            if entry.dtype is not torch.bool:
                raise TypeError(f"The mask of {name} must be a bool tensor, not {entry.dtype}.")
        self._entries = {
            name: entry.detach().clone(memory_format=torch.contiguous_format) for name, entry in entries.items()
        }
        self.best = dict(best or {})
        self.held = tuple(held)

    def __getitem__(self, name: str) -> torch.Tensor:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def total(self) -> int:
        """Prunable units."""
        return sum(entry.numel() for entry in self.values())

    @property
    def kept(self) -> int:
        """Units that stay."""
        return sum(int(entry.sum()) for entry in self.values())

    @property
    def sparsity(self) -> float:
        """Pruned over prunable units, in [0, 1]; 0 for an empty mask."""
        return 1 - self.kept / self.total if self.total else 0.0

    def __repr__(self) -> str:
        rows = ", ".join(f"{name}: {int(entry.sum())}/{entry.numel()}" for name, entry in self.items())
        return f"Mask({rows})"

    def floored(self, floor: int = 1) -> tuple["Mask", tuple[str, ...]]:
        """The mask with at least `floor` units in every entry, and the names where units had to come back, or had been
        held before.
        """
        entries, rescued = {}, list(self.held)
        for name, entry in self.items():
            missing = min(floor, entry.numel()) - int(entry.sum())
            if missing > 0:
                entry = entry.clone()
                flat = entry.view(-1)
                best = self.best.get(name, 0)
                # Fewer than `floor` units are kept, so these hold enough that are not.
                for index in (best, *range(min(2 * floor, flat.numel()))):
                    if missing > 0 and not flat[index]:
                        flat[index] = True
                        missing -= 1
                rescued.append(name)
            entries[name] = entry
        return Mask(entries, self.best, self.held), tuple(rescued)
