"""Where the processes of a sweep run: on this machine, or wherever submitit puts them."""

import os
import shlex
import signal
import subprocess
import sys
import traceback
from pathlib import Path

from keras_gahr.errors import InputError
from keras_gahr.json_file import read_json
from keras_gahr.names import reason_of

from .slurm_queue import ENDINGS, GONE, PREEMPTED, SlurmQueue
from .train_task import BUSY, FAILED, main

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


_MINUTES = 60
"""Of a job, after which it is put back into the queue; submitit's own five would be too short."""

_CORES = '[ -z "$SLURM_CPUS_PER_TASK" ] || export SRUN_CPUS_PER_TASK="$SLURM_CPUS_PER_TASK"'
"""In the shell of a job: since Slurm 22.05 the srun of submitit may give one core without it."""

_TIMES = 1_000_000
"""A job may be put back into the queue, since it always gets on: see `SubmittedJob`."""

_LISTS = ("setup", "srun_args", "teardown")

_SWITCHES = ("exclusive", "stderr_to_stdout", "use_srun")

_NUMBERS = (
    "cpus_per_task",
    "gpus_per_node",
    "mem_gb",
    "nodes",
    "signal_delay_s",
    "tasks_per_node",
    "time",
    "timeout_min",
)
"""Options that submitit wants as such; for all others it takes what sbatch does."""


class Refused(InputError):
    """The cluster does not take a job, perhaps because there are too many of them."""


def _search_path():
    # This package may be a checkout that is not installed.
    return os.pathsep.join([str(_PACKAGE), *filter(None, [os.environ.get("PYTHONPATH")])])


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
            A handle, with `poll()`, the exit code or None, `stop(hard)`, and `ended`: what ended it,
            if that was nothing in the training.
        """
        command = [sys.executable, "-m", "keras_gahr.reproduction.train_task", str(task_path)]
        with open(log_path, "ab") as log:
            process = subprocess.Popen(
                [*command, "--until-input-ends"],
                env={
                    **self._shares(),
                    **os.environ,
                    "KERAS_BACKEND": backend,
                    "PYTHONPATH": _search_path(),
                },
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
    ended = None

    def __init__(self, process):
        self.process = process

    def poll(self):
        return self.process.poll()

    def stop(self, hard=False):
        if hard:
            self.process.kill()
        else:
            self.process.terminate()


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
        options: of the jobs by name, such as partition, gpus_per_node or timeout_min; see `job_options`.
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
        self._folder = Path(folder)
        self._queue = SlurmQueue() if cluster == "slurm" else None
        self._said = False
        options = dict(options or {})
        if not isinstance(options.get("time", 0), int):
            # submitit reckons with it when the time of a job is nearly over.
            raise InputError(
                f"received time = {options['time']!r} for jobs, expected minutes: timeout_min=720"
            )
        # A job needs its own lines in any case.
        before = [
            f"export PYTHONPATH={shlex.quote(_search_path())}",
            _CORES,
            *options.pop("setup", ()),
        ]
        named = {
            name if name in _GENERAL else f"slurm_{name}": value for name, value in options.items()
        }
        try:
            self._executor = submitit.AutoExecutor(
                folder, cluster=cluster, **{f"{cluster}_max_num_timeout": _TIMES}
            )
            defaults = {
                "name": "gahr",
                "timeout_min": _MINUTES,
                "slurm_setup": before,
            }
            self._executor.update_parameters(**{**defaults, **named})
        except (RuntimeError, NameError, ValueError, AssertionError) as error:
            raise InputError(
                f"submitit cannot start jobs on {cluster}: {reason_of(error)}"
            ) from error

    def start(self, task_path, log_path, backend):
        """As of `LocalLauncher`.

        Raises:
            Refused: if the cluster does not take the job.
        """
        from submitit.core.utils import FailedJobError

        training = SubmittedJob(str(task_path), str(log_path), backend)
        try:
            job = self._executor.submit(training)
        except FailedJobError as error:
            raise Refused(f"the cluster does not take the job: {reason_of(error)}") from error
        _remove_older_result(job)
        if self._queue is None:
            return _SubmittedTraining(job)
        if not self._said:
            print(
                f"job {job.job_id} is submitted; squeue and {self._folder} say what becomes of jobs",
                file=sys.stderr,
            )
            self._said = True
        return _QueuedTraining(job, self._queue)


def job_options(texts):
    """The values of options of jobs, of the types that submitit wants.

    Args:
        texts: by name.
    """
    return {name: _value(name, text) for name, text in texts.items()}


def _value(name, text):
    if name in _LISTS:
        return [text]
    if name in _SWITCHES and text.lower() in {"true", "false"}:
        return text.lower() == "true"
    if name in _NUMBERS and text.replace(".", "", 1).isdecimal():
        return int(text) if text.isdecimal() else float(text)
    return text


def _remove_older_result(job):
    """Removes the result of a job of the same number: a cluster that is set up anew counts from 1."""
    result, submitted = job.paths.result_pickle, job.paths.submitted_pickle
    if result.exists() and result.stat().st_mtime < submitted.stat().st_mtime:
        result.unlink()


class SubmittedJob:
    """What a job runs: a training, in the job's own process, which gets the signals of all clusters.

    SIGTERM is sent when a job is cancelled, put back into the queue or has to give way, and another
    signal, which submitit chose, some time before its time is over. The training ends after its step
    and keeps its state then. After the latter the job is put back into the queue and goes on later;
    after SIGTERM it ends without a result, and the queue says what becomes of it.

    Args:
        task_path: the file that says which training.
        log_path: a file, to which its output is added.
        backend: of Keras.
    """

    def __init__(self, task_path, log_path, backend):
        self.task_path = task_path
        self.log_path = log_path
        self.backend = backend

    def __call__(self):
        from submitit import JobEnvironment

        os.environ["KERAS_BACKEND"] = self.backend
        with open(self.log_path, "ab") as log:
            for stream in (sys.stdout, sys.stderr):
                os.dup2(log.fileno(), stream.fileno())
        before_the_end = getattr(signal, f"SIG{JobEnvironment.USR_SIG}")
        submit_again = signal.getsignal(before_the_end)
        received = []

        def stop_in_time(number, frame):
            received.append(number)
            signal.raise_signal(signal.SIGTERM)

        # Before the training begins and after it there is nothing to keep.
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
        signal.signal(before_the_end, stop_in_time)
        state = self._state()
        try:
            code = main([self.task_path])
        except SystemExit as stop:
            code = stop.code
        except Exception:
            traceback.print_exc()
            code = FAILED
        if code != 128 + signal.SIGTERM:
            return code
        if not received:
            sys.exit(code)
        if self._state() != state:
            submit_again(before_the_end, None)
        print(
            "error: the job's time was over before anything was trained: give it more by --slurm "
            "timeout_min=",
            file=sys.stderr,
            flush=True,
        )
        return code

    def _state(self):
        """What changes with the state that the training keeps."""
        path = Path(read_json(self.task_path)["run"]) / "state.safetensors"
        return path.stat().st_mtime_ns if path.exists() else None

    def checkpoint(self):
        """Called by submitit when the job is put back into the queue."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)


class _SubmittedTraining:
    """A job on this machine."""

    ended = None

    def __init__(self, job):
        self.job = job
        self._stopped = False

    def poll(self):
        return self._result() if self.job.done() else None

    def stop(self, hard=False):
        self._stopped = True
        self.job.cancel(check=False)

    def _result(self):
        try:
            return self.job.result()
        except Exception as error:  # Whatever went wrong on another machine.
            if self._stopped:
                return 128 + signal.SIGTERM
            self.ended = f"job {self.job.job_id} failed: {reason_of(error)}"
            return FAILED


class _QueuedTraining(_SubmittedTraining):
    """A job of Slurm, which has a result or, if it was ended from outside, a state in the queue."""

    def __init__(self, job, queue):
        super().__init__(job)
        self._queue = queue
        self._look = queue.looks
        self._state = None

    def poll(self):
        # submitit would ask sacct, which knows nothing where there is no accounting.
        if self.job.paths.result_pickle.exists():
            return self._result()
        look, states = self._queue.look()
        if look == self._look:
            return None
        self._look = look
        before, self._state = self._state, states.get(self.job.job_id, GONE)
        if self._state not in ENDINGS:
            return None
        if self._stopped:
            return 128 + signal.SIGTERM
        # At two looks: a result may come late over a network, and a job be put back into the queue.
        if self._state != before:
            return None
        if self._state == PREEMPTED:
            return BUSY
        self.ended = f"job {self.job.job_id} {ENDINGS[self._state]}"
        return FAILED
