"""A SLURM cluster on one machine, for as long as a test needs it.

It takes the daemons of Debian's munge, slurmctld, slurmd and slurm-client. Nothing of it lies outside
one folder: its own key, sockets, ports, states and logs, which `SLURM_CONF` leads the commands to.
"""

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from waiting import FOR_EVER

PROGRAMS = ("munged", "slurmctld", "slurmd", "srun", "sbatch", "scontrol", "squeue", "scancel")

# A job that was put back waits for the seconds of `cred_expire`, of which SLURM makes two minutes otherwise.
# One that is started at once, by `scontrol update StartTime=now`, still meets what was sent to its node
# when that failed: it is killed by it, or its srun asks for the nodes that were just taken from it, which
# slurmctld 22.05 does not survive (it writes to a null pointer in build_job_info_resp).
_SLURM_CONF = """\
ClusterName=trial
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket,cred_expire=30
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=1,bf_interval=1
MpiDefault=none
KillWait=20
SlurmdTimeout=10
ReturnToService=2
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
NodeName=one NodeHostname={host} NodeAddr=127.0.0.1 Port={node_port} CPUs=2
PartitionName=low Nodes=one Default=YES PriorityTier=1 GraceTime=20
PartitionName=high Nodes=one PriorityTier=2 PreemptMode=OFF
"""

_CGROUP_CONF = """\
CgroupPlugin=cgroup/v1
IgnoreSystemd=yes
"""


def configuration(**names):
    """What the files of the cluster hold, by their names."""
    return {"slurm.conf": _SLURM_CONF.format(**names), "cgroup.conf": _CGROUP_CONF}


def missing():
    """Why there can be no cluster here, or None."""
    absent = [name for name in PROGRAMS if _program(name) is None]
    if absent:
        return f"{', '.join(absent)} not found: apt-get install munge slurmctld slurmd slurm-client"
    if os.geteuid():
        return "the daemons of SLURM are started by root"
    return None


def _program(name):
    # Those of root are not on everybody's path.
    return shutil.which(name, path=os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/sbin"]))


class Cluster:
    """One node of two processors, in the partitions `low` and `high`, whose jobs preempt those of `low`.

    Args:
        folder: for all its files; the name must be short, since it holds a socket.
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        self._daemons = {}

    def start(self):
        """Starts the daemons and waits until the node takes jobs."""
        for name in ("munge", "state", "spool-one"):
            (self.folder / name).mkdir(mode=0o700, parents=True)
        controller_port, node_port = _free_ports(2)
        names = {
            "folder": self.folder,
            "host": socket.gethostname().split(".")[0],
            "user": getpass.getuser(),
            "controller_port": controller_port,
            "node_port": node_port,
        }
        for name, text in configuration(**names).items():
            (self.folder / name).write_text(text)
        os.environ["SLURM_CONF"] = str(self.folder / "slurm.conf")
        key = self.folder / "munge" / "key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        self._start_munge(key)
        self._start("slurmctld", "-D", "-i")
        self.start_node()

    def _start_munge(self, key):
        munge = self.folder / "munge"
        self._start(
            "munged",
            "--foreground",
            "--force",
            f"--key-file={key}",
            f"--socket={munge / 'socket'}",
            f"--pid-file={munge / 'pid'}",
            f"--seed-file={munge / 'seed'}",
            f"--log-file={munge / 'log'}",
        )
        self._wait((munge / "socket").exists)

    def start_node(self):
        """Starts the node, also one that was killed, and waits until it takes jobs."""
        self._start("slurmd", "-D", "-N", "one")
        self._wait(lambda: self.node() in {"idle", "mixed", "allocated"})

    def kill_node(self):
        """Ends the node's daemon and all of its jobs at once, as when the machine loses its power."""
        slurmd = self._daemons.pop("slurmd")
        slurmd.kill()
        slurmd.wait()
        # What belongs to jobs does not end with it. None of it may tell the controller of the others' end.
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for process in Path("/proc").glob("[0-9]*"):
                with contextlib.suppress(OSError):
                    if self._is_of_a_job(process):
                        os.kill(int(process.name), number)

    def _is_of_a_job(self, process):
        variables = (process / "environ").read_bytes().split(b"\0")
        ours = f"SLURM_CONF={self.folder}/slurm.conf".encode() in variables
        daemon = (process / "comm").read_text().startswith("slurmstepd")
        return ours and (daemon or any(v.startswith(b"SLURM_JOB_ID=") for v in variables))

    def node(self):
        """The state of the node."""
        return self.run("sinfo", "--noheader", "--partition=low", "--format=%T").strip()

    def run(self, *command):
        """What a command of SLURM prints, which is tried again if the controller has no time."""
        for _ in range(30):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if "contact slurm controller" not in done.stderr and "timed out" not in done.stderr:
                break
            time.sleep(1)
        return done.stdout

    def stop(self):
        """Ends what runs, and all daemons."""
        self.run("scancel", "--user", getpass.getuser())
        given_up = time.monotonic() + 30
        while self.run("squeue", "--noheader") and time.monotonic() < given_up:
            time.sleep(0.5)
        # Munge last: the others end with a message that it signs.
        for daemon in reversed(self._daemons.values()):
            daemon.terminate()
            daemon.wait(timeout=FOR_EVER)
        del os.environ["SLURM_CONF"]

    def _start(self, name, *arguments):
        with open(self.folder / f"{name}.out", "ab") as log:
            self._daemons[name] = subprocess.Popen(
                [_program(name), *arguments],
                cwd=self.folder,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def _wait(self, condition):
        given_up = time.monotonic() + FOR_EVER
        while not condition():
            for name, daemon in self._daemons.items():
                if daemon.poll() is not None:
                    log = (self.folder / f"{name}.out").read_text()
                    raise RuntimeError(f"{name} ended: {log[-2000:]}")
            if time.monotonic() > given_up:
                raise RuntimeError(f"the cluster does not start; logs are in {self.folder}")
            time.sleep(0.2)


def _free_ports(count):
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports
