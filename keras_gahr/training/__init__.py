"""Training of universal, blind denoisers."""

from .adam import Adam
from .blind_training import BlindTraining
from .run import check_run_output, train
from .session import TrainingResult
from .settings import TrainingSettings

__all__ = [
    "Adam",
    "BlindTraining",
    "TrainingResult",
    "TrainingSettings",
    "check_run_output",
    "train",
]
