"""What becomes of jobs of Slurm, with another program in the place of squeue."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
import slurm_cluster
from systems import skip_without_scripts

from keras_gahr.reproduction import launchers, slurm_queue
from keras_gahr.reproduction.slurm_queue import SlurmQueue
from keras_gahr.reproduction.train_task import BUSY, FAILED


class Job:
    """As submitit has it, as far as it is asked for."""

    job_id = "7"

    def __init__(self, folder):
        self.paths = type("Paths", (), {"result_pickle": folder / "result"})
        self.cancelled = 0

    def result(self):
        return int(self.paths.result_pickle.read_text())

    def cancel(self, check):
        self.cancelled += 1


@pytest.fixture
def squeue(tmp_path, monkeypatch):
    """A function that says what squeue answers from now on."""
    skip_without_scripts()
    program = tmp_path / "bin" / "squeue"
    program.parent.mkdir()
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    monkeypatch.setattr(slurm_queue, "_SECONDS_BETWEEN_LOOKS", 0.0)

    def answers(*lines, fails=False):
        text = "\n".join([f"echo '{line}'" for line in lines])
        program.write_text(f"#!/bin/sh\n{text}{' >&2; exit 1' if fails else ''}\n")
        program.chmod(0o755)

    return answers


@pytest.fixture
def training(tmp_path):
    return launchers._QueuedTraining(Job(tmp_path), SlurmQueue())


def test_a_result_needs_no_queue(training):
    training.job.paths.result_pickle.write_text("3")
    assert training.poll() == 3


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        ("7 CANCELLED 15", FAILED, "job 7 was cancelled"),
        ("7 NODE_FAIL 0", FAILED, "lost its node"),
        ("7 OUT_OF_MEMORY 9", FAILED, "--slurm mem_gb="),
        ("7 TIMEOUT 0", FAILED, "--slurm timeout_min="),
        ("7 FAILED 256", FAILED, "without a result"),
        ("8 RUNNING 0", FAILED, "left the queue"),
        ("7 PREEMPTED 0", BUSY, None),
        # It ended by itself when it was asked to.
        ("7 FAILED 36608", BUSY, None),
    ],
)
def test_the_queue_says_what_ended_a_job(squeue, training, line, code, says):
    squeue("7 RUNNING 0", "3 FAILED 256")
    assert training.poll() is None
    squeue(line, "3 FAILED 256")
    assert training.poll() is None
    assert training.poll() == code
    assert says is None or says in training.ended


def test_a_job_that_is_put_back_is_waited_for(squeue, training):
    for line in ("RUNNING", "COMPLETING", "NODE_FAIL", "PENDING", "NODE_FAIL", "RUNNING"):
        squeue(f"7 {line} 0")
        assert training.poll() is None


def test_one_that_was_stopped_has_the_code_of_that(squeue, training):
    training.stop()
    squeue("7 CANCELLED 15")
    assert training.job.cancelled == 1
    assert training.poll() == 128 + signal.SIGTERM


def test_a_silent_controller_is_waited_for_and_named_once(squeue, training, capsys):
    squeue("slurm_load_jobs error: Unable to contact slurm controller", fails=True)
    assert [training.poll() for _ in range(3)] == [None] * 3
    assert capsys.readouterr().err.count("Unable to contact slurm controller") == 1
    squeue("7 RUNNING 0")
    assert training.poll() is None


def test_all_jobs_are_looked_for_by_one_call(squeue, tmp_path, monkeypatch):
    queue = SlurmQueue()
    trainings = [launchers._QueuedTraining(Job(tmp_path), queue) for _ in range(3)]
    squeue("7 CANCELLED 15")
    monkeypatch.setattr(slurm_queue, "_SECONDS_BETWEEN_LOOKS", 60.0)
    assert [each.poll() for each in trainings] == [None] * 3
    assert queue.looks == 1


def test_what_a_look_before_a_job_says_is_not_of_it(squeue, tmp_path):
    queue = SlurmQueue()
    squeue()
    queue.look()
    training = launchers._QueuedTraining(Job(tmp_path), queue)
    squeue("7 PENDING 0")
    assert training.poll() is None and training.poll() is None


@pytest.mark.parametrize("cores", ["4", None])
def test_the_srun_of_a_job_is_told_its_cores(squeue, told, monkeypatch, tmp_path, cores):
    """By a variable; none says no number."""
    launchers.SubmititLauncher(tmp_path)
    for name in ("SRUN_CPUS_PER_TASK", "SLURM_CPUS_PER_TASK"):
        monkeypatch.delenv(name, raising=False)
    if cores:
        monkeypatch.setenv("SLURM_CPUS_PER_TASK", cores)
    monkeypatch.setenv("PATH", os.defpath)
    script = "\n".join(["set -e", *told["slurm_setup"], 'echo "${SRUN_CPUS_PER_TASK-unset}"'])
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == f"{cores or 'unset'}\n"


def test_the_page_shows_the_cluster_that_is_tested():
    page = Path(__file__).parents[2] / "docs" / "how-to" / "slurm.md"
    for text in slurm_cluster.configuration(
        folder="$D",
        host="$(hostname -s)",
        user="$(whoami)",
        controller_port=16817,
        node_port=16818,
    ).values():
        assert text in page.read_text("utf-8")
