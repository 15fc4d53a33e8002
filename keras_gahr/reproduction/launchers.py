"""Where the processes of a sweep run: on this machine, or wherever submitit puts them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from keras_gahr.errors import InputError
from keras_gahr.names import reason_of

_PACKAGE = Path(__file__).resolve().parents[2]

_GENERAL = (
    "cpus_per_task",
    "gpus_per_node",
    "mem_gb",
    "name",
    "nodes",
    "stderr_to_stdout",
    "tasks_per_node",
    "timeout_min",
)
"""Options of jobs that submitit has for all clusters; it calls those of Slurm `slurm_...`."""


def _command(task_path):
    return [sys.executable, "-m", "keras_gahr.reproduction.train_task", str(task_path)]


def _environment(backend):
    # This package may be a checkout that is not installed.
    paths = [str(_PACKAGE), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {"KERAS_BACKEND": backend, "PYTHONPATH": os.pathsep.join(paths)}


class LocalLauncher:
    """Processes on this machine, each with its share of the cores.

    Args:
        jobs: how many at a time.
    """

    def __init__(self, jobs=1):
        self.jobs = jobs

    def start(self, task_path, log_path, backend):
        """Starts a training.

        Args:
            task_path: the file that says which.
            log_path: a file, to which its output is added.
            backend: of Keras.

        Returns:
            A handle, with `poll()`, the exit code or None, and `stop(hard)`.
        """
        with open(log_path, "ab") as log:
            process = subprocess.Popen(
                [*_command(task_path), "--until-input-ends"],
                env={**self._shares(), **os.environ, **_environment(backend)},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                # In a session of its own it does not get the Ctrl-C of a terminal too.
                start_new_session=True,
            )
        return _LocalTraining(process)

    def _shares(self):
        """Variables that divide the machine among the jobs, unless the user has set them."""
        if self.jobs == 1:
            return {}
        threads = str(max(1, cores() // self.jobs))
        names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NPROC")
        names += ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
        # JAX takes most of a GPU's memory otherwise, so that a second process finds none.
        return dict.fromkeys(names, threads) | {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}


class _LocalTraining:
    def __init__(self, process):
        self.process = process

    def poll(self):
        return self.process.poll()

    def stop(self, hard=False):
        self.process.send_signal(signal.SIGKILL if hard else signal.SIGTERM)


def cores():
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class SubmititLauncher:
    """Jobs of submitit: on a Slurm cluster, or in processes on this machine as a trial of that.

    Args:
        folder: for submitit's own files; seen by all machines, as the workspace must be.
        cluster: "slurm" or "local".
        options: of the jobs by name, such as partition, gpus_per_node or timeout_min.
        jobs: how many are submitted at a time.

    Raises:
        InputError: if submitit or the cluster is missing, or for unknown options.
    """

    def __init__(self, folder, cluster="slurm", options=None, jobs=1):
        try:
            import submitit
        except ImportError as error:
            raise InputError(
                'submitit is not installed: run `pip install "keras-gahr[slurm]"`'
            ) from error
        self.jobs = jobs
        named = {
            name if name in _GENERAL else f"slurm_{name}": value
            for name, value in (options or {}).items()
        }
        try:
            self._executor = submitit.AutoExecutor(folder, cluster=cluster)
            self._executor.update_parameters(**{"name": "gahr", **named})
        except (RuntimeError, NameError, ValueError, AssertionError) as error:
            raise InputError(
                f"submitit cannot start jobs on {cluster}: {reason_of(error)}"
            ) from error

    def start(self, task_path, log_path, backend):
        """As of `LocalLauncher`."""
        job = SubmittedJob(_command(task_path), str(log_path), _environment(backend))
        return _SubmittedTraining(self._executor.submit(job))


class SubmittedJob:
    """What a job runs. When its time is over, it is submitted again and goes on from its state.

    Args:
        command: of a process.
        log_path: a file, to which its output is added.
        environment: variables that are added to the job's.
    """

    def __init__(self, command, log_path, environment):
        self.command = command
        self.log_path = log_path
        self.environment = environment

    def __call__(self):
        with open(self.log_path, "ab") as log:
            return subprocess.run(
                self.command,
                env={**os.environ, **self.environment},
                stdout=log,
                stderr=subprocess.STDOUT,
                check=False,
            ).returncode

    def checkpoint(self):
        """Called by submitit shortly before the end of the job's time."""
        import submitit

        return submitit.helpers.DelayedSubmission(self)


class _SubmittedTraining:
    def __init__(self, job):
        self.job = job
        self._stopped = False

    def poll(self):
        if not self.job.done():
            return None
        try:
            return self.job.result()
        except Exception as error:  # Whatever went wrong on another machine.
            if not self._stopped:
                print(f"job {self.job.job_id}: {error}", file=sys.stderr)
            return 128 + signal.SIGTERM if self._stopped else 1

    def stop(self, hard=False):
        self._stopped = True
        self.job.cancel(check=False)
