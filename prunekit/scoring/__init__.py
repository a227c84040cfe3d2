"""Which weights or units matter: scorers, by what they look at, and the one function that runs them."""

from prunekit.scoring.base import Coupled, Scorer
from prunekit.scoring.catalogue import SCORERS, scorer_of
from prunekit.scoring.describe import describe
from prunekit.scoring.observation import Observation
from prunekit.scoring.scores import Scores, score

__all__ = ["SCORERS", "Coupled", "Observation", "Scorer", "Scores", "describe", "score", "scorer_of"]
