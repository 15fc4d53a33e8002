"""What Slurm says of jobs."""

import signal
import subprocess
import sys
import time

from keras_gahr.names import reason_of

_SECONDS_BETWEEN_LOOKS = 15.0
_SECONDS_FOR_AN_ANSWER = 60.0

PREEMPTED = "PREEMPTED"
"""Of a job that had to give way, also of one that did so at once, which Slurm has as FAILED."""

GONE = "GONE"
"""Here, of a job that Slurm no longer knows: it forgets those that have ended after some minutes."""

ENDINGS = {
    "BOOT_FAIL": "lost its node",
    "CANCELLED": "was cancelled",
    "COMPLETED": "ended without a result",
    "DEADLINE": "was over its time: give it more by --slurm timeout_min=",
    "FAILED": "ended without a result",
    GONE: "left the queue without a result",
    "NODE_FAIL": "lost its node",
    "OUT_OF_MEMORY": "ran out of memory: give it more by --slurm mem_gb=",
    PREEMPTED: "had to give way to another job",
    "REVOKED": "was cancelled",
    "TIMEOUT": "was over its time: give it more by --slurm timeout_min=",
}
"""What has happened to a job that is in such a state; one in any other may still run."""


class SlurmQueue:
    """The states of this user's jobs, by squeue, which needs no accounting: one call for all of them.

    Attributes:
        looks: how often it has answered.
    """

    def __init__(self):
        self.looks = 0
        self._states = {}
        self._asked = float("-inf")
        self._said = False

    def look(self):
        """The number of the newest look, which may be some seconds old, and the states by job."""
        if time.monotonic() - self._asked >= _SECONDS_BETWEEN_LOOKS:
            try:
                self._states = _states()
                self.looks += 1
            except (OSError, subprocess.SubprocessError) as error:
                # The jobs go on while the controller is away.
                if not self._said:
                    said = getattr(error, "stderr", None) or error
                    print(f"squeue does not answer, asking on: {reason_of(said)}", file=sys.stderr)
                self._said = True
            self._asked = time.monotonic()
        return self.looks, self._states


def _states():
    lines = subprocess.run(
        ["squeue", "--me", "--states=all", "--noheader", "--Format=JobID:30,State:30,exit_code:30"],
        check=True,
        capture_output=True,
        text=True,
        timeout=_SECONDS_FOR_AN_ANSWER,
    ).stdout.splitlines()
    return {
        job: PREEMPTED if state == "FAILED" and _by_sigterm(status) else state
        for job, state, status in map(str.split, lines)
    }


def _by_sigterm(status):
    """Whether a job's exit status, as `wait` has it, is that of a training that SIGTERM stopped."""
    return status == str(128 + signal.SIGTERM << 8)
