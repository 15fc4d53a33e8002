"""The processes that Slurm's `srun` starts, which train together."""

import os
import re

from keras_gahr._backend import parallel

_FIRST_PORT, _PORTS = 10_000, 20_000
"""Below those that systems give to whoever asks for any."""


def join_step():
    """Names the processes of this step of a job to the backend, if `srun` has started several.

    Raises:
        InputError: on a backend that trains in one process only.
    """
    world = int(os.environ.get("SLURM_STEP_NUM_TASKS", 1))
    if world == 1:
        return
    here = tasks_by_node(os.environ["SLURM_STEP_TASKS_PER_NODE"])
    host = first_host(os.environ["SLURM_STEP_NODELIST"]) if len(here) > 1 else "127.0.0.1"
    # The same in all processes of a step, and another one in the next.
    number = 64 * int(os.environ["SLURM_JOB_ID"]) + int(os.environ["SLURM_STEP_ID"])
    parallel.name_processes(
        rank=int(os.environ["SLURM_PROCID"]),
        world=world,
        local_rank=int(os.environ["SLURM_LOCALID"]),
        local_world=here[int(os.environ["SLURM_NODEID"])],
        address=f"{host}:{_FIRST_PORT + number % _PORTS}",
    )


def tasks_by_node(text):
    """The tasks on each node of what Slurm writes as "2(x3),1": [2, 2, 2, 1]."""
    parts = re.findall(r"(\d+)(?:\(x(\d+)\))?", text)
    return [int(tasks) for tasks, nodes in parts for _ in range(int(nodes or 1))]


def first_host(text):
    """The first host of what Slurm writes as "gpu[03-05,9],cpu1": "gpu03"."""
    first = re.findall(r"(?:[^,\[]|\[[^]]*\])+", text)[0]
    return re.sub(r"\[([^],-]*)[^]]*\]", r"\1", first)
