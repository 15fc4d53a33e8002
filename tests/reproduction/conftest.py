"""What tests of trainings on a cluster share."""

import sys
from types import SimpleNamespace

import pytest


@pytest.fixture
def told(monkeypatch):
    """The options that a `SubmititLauncher` tells submitit, in whose place this is."""
    options = {}

    class AutoExecutor:
        def __init__(self, folder, **options):
            pass

        def update_parameters(self, **given):
            options.update(given)

    monkeypatch.setitem(sys.modules, "submitit", SimpleNamespace(AutoExecutor=AutoExecutor))
    return options
