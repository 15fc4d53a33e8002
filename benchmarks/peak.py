"""The peak memory of this process."""

import sys
from pathlib import Path


def peak_memory():
    """Bytes that were resident at most since this program began.

    What getrusage says includes the process that started this one, which may have been larger; it is
    asked only where Linux's own account is missing.
    """
    try:
        status = Path("/proc/self/status").read_text()
        return 1024 * int(status.split("VmHWM:")[1].split()[0])
    except (OSError, IndexError):
        import resource  # Windows has neither.

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else 1024 * peak
