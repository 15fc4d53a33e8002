"""What Slurm says of the processes that train together; `tox -e slurm` starts them."""

import os

import keras
import pytest

from keras_gahr.errors import InputError
from keras_gahr.training.devices import srun


@pytest.mark.parametrize(
    ("text", "host"),
    [("one", "one"), ("a,b", "a"), ("gpu[03-05,9],cpu1", "gpu03"), ("r[1,2]n[7-9]", "r1n7")],
)
def test_the_first_host(text, host):
    assert srun.first_host(text) == host


@pytest.mark.parametrize(
    ("text", "tasks"), [("2", [2]), ("2(x3),1", [2, 2, 2, 1]), ("1,4(x2)", [1, 4, 4])]
)
def test_the_tasks_of_each_node(text, tasks):
    assert srun.tasks_by_node(text) == tasks


@pytest.fixture
def step(monkeypatch):
    """The fourth of five processes, on the second of two nodes."""
    environment = {
        "SLURM_JOB_ID": "70000",
        "SLURM_STEP_ID": "2",
        "SLURM_STEP_NUM_TASKS": "5",
        "SLURM_STEP_TASKS_PER_NODE": "2,3",
        "SLURM_STEP_NODELIST": "gpu[03-04]",
        "SLURM_PROCID": "3",
        "SLURM_LOCALID": "1",
        "SLURM_NODEID": "1",
    }
    monkeypatch.setattr(os, "environ", {**environment})


def test_a_backend_knows_its_processes(step):
    os.environ["MASTER_ADDR"] = "mine"
    if keras.backend.backend() == "tensorflow":
        with pytest.raises(InputError, match="5 processes, but TensorFlow trains in one"):
            srun.join_step()
        return
    srun.join_step()
    expected = {
        "torch": {
            "RANK": "3",
            "WORLD_SIZE": "5",
            "LOCAL_RANK": "1",
            "LOCAL_WORLD_SIZE": "3",
            "MASTER_ADDR": "mine",
            "MASTER_PORT": "10002",
        },
        "jax": {
            "JAX_PROCESS_ID": "3",
            "JAX_NUM_PROCESSES": "5",
            "JAX_COORDINATOR_ADDRESS": "gpu03:10002",
            "JAX_LOCAL_DEVICE_IDS": "1",
        },
    }[keras.backend.backend()]
    assert expected.items() <= os.environ.items()


def test_one_process_needs_nothing(step):
    os.environ["SLURM_STEP_NUM_TASKS"] = "1"
    before = dict(os.environ)
    srun.join_step()
    assert dict(os.environ) == before
