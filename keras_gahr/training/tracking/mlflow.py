"""Runs in MLflow."""

import time
from typing import Any

from .libraries import library
from .tracker import Tracker

_AT_ONCE = 100
"""Parameters that a server takes at once."""

_LONGEST = 500
"""Characters of the value of a parameter, in older servers."""

_ENDED = {"finished": "FINISHED", "early stop": "FINISHED", "stopped": "KILLED"}


class MlflowTracker(Tracker):
    """A run in an experiment, where MLFLOW_TRACKING_URI says.

    Args:
        experiment: its name.

    Raises:
        InputError: if the library is missing.
    """

    def __init__(self, experiment):
        self.address = f"mlflow:{experiment}"
        self.experiment = experiment
        self._mlflow = library("mlflow")
        self._client: Any = None
        self._id = None

    def start(self, run, known):
        client = self._client = self._mlflow.MlflowClient()
        if known is not None:
            client.update_run(known, status="RUNNING")
            self._id = known
            return known
        found = client.get_experiment_by_name(self.experiment)
        experiment = found.experiment_id if found else client.create_experiment(self.experiment)
        self._id = client.create_run(experiment, run_name=run.name).info.run_id
        parameters = [
            self._mlflow.entities.Param(name, str(value)[:_LONGEST])
            for name, value in run.config.items()
        ]
        for i in range(0, len(parameters), _AT_ONCE):
            client.log_batch(self._id, params=parameters[i : i + _AT_ONCE])
        return self._id

    def log(self, step, numbers):
        now = int(1000 * time.time())
        metric = self._mlflow.entities.Metric
        metrics = [metric(name, value, now, step) for name, value in numbers.items()]
        self._client.log_batch(self._id, metrics=metrics)

    def finish(self, state):
        self._client.set_tag(self._id, "state", state)
        self._client.set_terminated(self._id, status=_ENDED.get(state, "FAILED"))
