"""Data sets as train / validation / test, and calibration sets drawn from the training part."""

from prunekit.data.calibration import calibration_set
from prunekit.data.catalogue import DATASETS, load_dataset
from prunekit.data.dataset import Dataset
from prunekit.data.split import Split

__all__ = ["DATASETS", "Dataset", "Split", "calibration_set", "load_dataset"]
