"""Random shifts, flips and holes of a whole batch of images at once, each image by its own draw."""

import torch


def shifted(images: torch.Tensor, most: int, random: torch.Generator) -> torch.Tensor:
    """Each of (N, C, H, W) images moved by -most..most pixels both ways; what comes in from outside is 0."""
    count, _channels, height, width = images.shape
    padded = torch.nn.functional.pad(images, (most, most, most, most))
    # Every possible shift is a window into the padded batch; unfold makes them views, indexing copies one for each.
    windows = padded.unfold(2, height, 1).unfold(3, width, 1)
    down, right = torch.randint(2 * most + 1, (2, count), generator=random)
    return windows[torch.arange(count), :, down, right]


def flipped(images: torch.Tensor, random: torch.Generator) -> torch.Tensor:
    """Each of (N, C, H, W) images mirrored left to right with probability one half."""
    chosen = torch.rand(len(images), generator=random) < 0.5
    return torch.where(chosen[:, None, None, None], images.flip(-1), images)


def erased(images: torch.Tensor, side: int, random: torch.Generator) -> torch.Tensor:
    """Each of (N, C, H, W) images with a square of zeros, `side` pixels wide, somewhere; at the edges less of it.

    Cutout (DeVries and Taylor, 2017).
    """
    count, _channels, height, width = images.shape

    def within(length: int) -> torch.Tensor:
        start = torch.randint(length, (count, 1), generator=random) - side // 2
        places = torch.arange(length)
        return (places >= start) & (places < start + side)

    hole = within(height)[:, None, :, None] & within(width)[:, None, None, :]
    return images.masked_fill(hole, 0)
