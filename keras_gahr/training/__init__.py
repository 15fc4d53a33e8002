"""Training of universal, blind denoisers."""

from .adam import Adam
from .blind_training import BlindTraining
from .run import TrainingResult, train
from .settings import TrainingSettings

__all__ = ["Adam", "BlindTraining", "TrainingResult", "TrainingSettings", "train"]
