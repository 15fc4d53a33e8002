"""Images from linear measurements of them, file by file."""

import keras_gahr.before_keras  # noqa: F401

from .averages import Restoration
from .in_memory import restore
from .inputs import InputImages
from .outputs import CONTENTS, check_restoration_output, save_restorations
from .run import restore_files

__all__ = [
    "CONTENTS",
    "InputImages",
    "Restoration",
    "check_restoration_output",
    "restore",
    "restore_files",
    "save_restorations",
]
