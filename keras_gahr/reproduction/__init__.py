"""The engine of experiments: from a plan to trainings and a report. It knows no figure."""

import keras_gahr.before_keras  # noqa: F401
