"""Training of universal, blind denoisers."""

import keras_gahr.before_keras  # noqa: F401

from .adam import Adam
from .blind_training import BlindTraining
from .clock import ClockReport, Look, MemorizationClock
from .clock.callback import ClockCallback
from .clock.settings import ClockSettings
from .config import RunConfig
from .configured import run_config
from .from_images import train
from .result import TrainingResult
from .run import run_training
from .run_folder import check_run_output
from .settings import TrainingSettings
from .tracking.tracker import TrackedRun, Tracker

__all__ = [
    "Adam",
    "BlindTraining",
    "ClockCallback",
    "ClockReport",
    "ClockSettings",
    "Look",
    "MemorizationClock",
    "RunConfig",
    "TrackedRun",
    "Tracker",
    "TrainingResult",
    "TrainingSettings",
    "check_run_output",
    "run_config",
    "run_training",
    "train",
]
