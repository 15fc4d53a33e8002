"""What the benchmarks ran on."""

import importlib.metadata
import os
import platform
from pathlib import Path

import keras

from keras_gahr import _backend
from keras_gahr.training.conditions import machine_memory

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "XLA_FLAGS")


def description():
    """The machine, the libraries and their settings, as plain values."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory": machine_memory(),
        "system": platform.platform(),
        "load": os.getloadavg(),
        "python": platform.python_version(),
        "backend": keras.backend.backend(),
        "devices": _backend.devices(),
        "threads": {name: os.environ[name] for name in _THREADS if name in os.environ},
        "packages": {
            package.metadata["Name"]: package.version
            for package in importlib.metadata.distributions()
        },
    }


def _processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor()
