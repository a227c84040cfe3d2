"""What is known of each data set without loading it: sizes, licence, source, and what its download costs."""

from dataclasses import dataclass

from prunekit.core.language import N_


@dataclass(frozen=True)
class DataCard:
    """A data set as a visitor reads of it.

    full, shipped: the number of examples in each part; a set that is shipped whole has the same in both;
    download: bytes fetched for the full set, 0 where there is nothing to fetch; room: bytes that fetching and
    unpacking it takes on the disk for a while; cite: the paper.
    """

    id: str
    title: str
    about: str
    source: str
    licence: str
    cite: str
    full: dict[str, int]
    shipped: dict[str, int]
    download: int = 0
    room: int = 0


_CARDS = (
    DataCard(
        id="fashion-mnist",
        title="Fashion-MNIST",
        about=N_("Grey pictures of clothes, 28×28 pixels, in ten classes."),
        source="https://github.com/zalandoresearch/fashion-mnist",
        licence="MIT",
        cite="Xiao, Rasul and Vollgraf, 2017, arXiv:1708.07747",
        full={"train": 54_000, "validation": 6_000, "test": 10_000},
        shipped={"train": 6_000, "validation": 1_000, "test": 10_000},
        download=30_878_645,
        room=86_000_000,
    ),
    DataCard(
        id="cifar10",
        title="CIFAR-10",
        about=N_("Colour photographs, 32×32 pixels, in ten classes."),
        source="https://www.cs.toronto.edu/~kriz/cifar.html",
        licence=N_("no formal licence; cite Krizhevsky 2009"),
        cite="Krizhevsky, 2009, Learning Multiple Layers of Features from Tiny Images",
        full={"train": 47_500, "validation": 2_500, "test": 10_000},
        shipped={"train": 5_000, "validation": 1_000, "test": 2_000},
        download=170_498_071,
        room=357_000_000,
    ),
    DataCard(
        id="digits",
        title="Digits",
        about=N_("Handwritten digits, 8×8 grey pixels, in ten classes."),
        source="https://archive.ics.uci.edu/dataset/80",
        licence="CC BY 4.0",
        cite="Alpaydin and Kaynak, 1998",
        full={"train": 1_078, "validation": 360, "test": 359},
        shipped={"train": 1_078, "validation": 360, "test": 359},
    ),
)

DATA_CARDS = {card.id: card for card in _CARDS}
