"""Where the shipped data lies, when the full sets are taken in its place, and what is said of files at odds."""

from pathlib import Path

from prunekit.core.data_cards import DataCard
from prunekit.core.data_folder import data_folder, has_full_set
from prunekit.core.errors import BadSetting, CorruptFile
from prunekit.core.language import _

SHIPPED = Path(__file__).resolve().parents[2] / "sample_models" / "data"


def check_together(images: Path, labels: Path, fits: bool) -> None:
    """Raises CorruptFile, naming both files, where what was read from them does not fit together."""
    if not fits:
        sentence = _("The files {images} and {labels} do not belong together; download them again or restore them.")
        raise CorruptFile(sentence.format(images=images, labels=labels))


def takes_full(card: DataCard, prefer: str) -> bool:
    """Whether the full set is there and not unwanted; `prefer` as in `load_dataset`. Raises BadSetting."""
    full = prefer != "shipped" and has_full_set(card.id)
    if prefer == "full" and not full:
        sentence = _("The full {title} is not in {folder}; “prunekit data --download {id}” gets it.")
        raise BadSetting(sentence.format(title=card.title, folder=data_folder(), id=card.id))
    return full
