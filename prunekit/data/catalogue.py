"""The data sets by id: a new one is one file and one line."""

from prunekit.core.errors import BadSetting, UnknownName
from prunekit.core.language import _
from prunekit.data import cifar10, digits, fashion_mnist
from prunekit.data.dataset import Dataset

DATASETS = {
    "fashion-mnist": fashion_mnist.load,
    "cifar10": cifar10.load,
    "digits": digits.load,
}

PREFERENCES = ("auto", "shipped", "full")


def load_dataset(id: str, prefer: str = "auto") -> Dataset:
    """A data set with its train, validation and test part.

    prefer: "auto" takes the full set where it lies in the data folder (`PRUNEKIT_DATA`, else `data/` in the
    repository) and the shipped subset elsewhere; "shipped" and "full" insist. The validation part of one never
    holds training images of the other.

    Raises UnknownName, BadSetting (a full set that is not there) and CorruptFile.
    """
    if id not in DATASETS:
        raise UnknownName.of(_("data set"), id, DATASETS)
    if prefer not in PREFERENCES:
        sentence = _("{label} must be one of {choices}, not “{given}”.")
        raise BadSetting(sentence.format(label="prefer", choices=", ".join(PREFERENCES), given=prefer))
    return DATASETS[id](prefer)
