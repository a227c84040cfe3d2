"""Handwritten digits, 8x8 grey pictures (Alpaydin and Kaynak, 1998), as scikit-learn ships them."""

import numpy as np
import torch

from prunekit.core.data_cards import DATA_CARDS
from prunekit.core.errors import CorruptFile
from prunekit.core.language import _
from prunekit.core.tasks import CLASSIFICATION
from prunekit.data.choosing import stratified
from prunekit.data.dataset import Dataset
from prunekit.data.split import Split

CARD = DATA_CARDS["digits"]
# Of the training part in [0, 1].
NORMALIZATION = ((0.3047,), (0.3758,))
SHARES = (0.6, 0.2, 0.2)
SPLIT_SEED = 1998
DARKEST = 16


def load(prefer: str) -> Dataset:
    """The whole set of 1,797 pictures, whatever is preferred: 60 % train, 20 % validation, 20 % test."""
    # Here, because scikit-learn takes a second to import and only this data set needs it.
    from sklearn.datasets import load_digits

    try:
        pictures, labels = load_digits(return_X_y=True)
    except (OSError, ValueError) as error:
        raise CorruptFile(_("The digits of scikit-learn cannot be read; install scikit-learn again.")) from error
    inputs = torch.from_numpy(np.rint(pictures * (255 / DARKEST)).astype(np.uint8)).view(-1, 1, 8, 8)
    everything = Split(inputs, torch.from_numpy(labels).long(), NORMALIZATION, task=CLASSIFICATION)
    train, validation, test = (everything.take(rows) for rows in stratified(labels, SHARES, SPLIT_SEED))
    return Dataset(CARD, train, validation, test, classes=tuple("0123456789"), full=True)
