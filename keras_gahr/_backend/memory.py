"""How much memory there is."""

import contextlib
import mmap
from pathlib import Path

_UNKNOWN = 4 * 2**30
"""What counts as free on a system that does not say."""

_CGROUPS = Path("/sys/fs/cgroup")
_FILES = {
    # Of the first and the second version of Linux's control groups.
    "memory": ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    "": ("memory.max", "memory.current", "inactive_file"),
}


def host_memory_free():
    """Bytes that this process may still take: what the machine has, its group and its own limit allow."""
    free = [*_of_machine(), *_of_groups(), *_of_process()]
    return max(0, min(free, default=_UNKNOWN))


def _of_machine():
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                yield 1024 * int(line.split()[1])


def _of_groups():
    with contextlib.suppress(OSError):
        yield from left_in_groups(Path("/proc/self/cgroup").read_text().splitlines())


def left_in_groups(lines):
    """What the control groups of this process have left, and those that they are in.

    Args:
        lines: of /proc/self/cgroup.
    """
    for line in lines:
        _, controllers, path = line.split(":", 2)
        kind = "memory" if "memory" in controllers.split(",") else controllers
        if kind not in _FILES:
            continue
        root = _CGROUPS / kind
        group = root / path.strip("/")
        for folder in (group, *group.parents):
            with contextlib.suppress(OSError, ValueError):
                yield _left(folder, *_FILES[kind])
            if folder == root:
                break


def _left(folder, limit, used, cached):
    """Bytes up to the limit of a group; files that it has read last count as free."""
    statistics = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    taken = int((folder / used).read_text()) - int(statistics.get(cached, 0))
    # Where there is no limit "max" is no number.
    return int((folder / limit).read_text()) - taken


def _of_process():
    """What `ulimit -v` leaves."""
    try:
        import resource
    except ImportError:
        return
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY:
        with contextlib.suppress(OSError, ValueError):
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            yield limit - pages * mmap.PAGESIZE
