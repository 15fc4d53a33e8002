"""The clock that benchmarks are timed by, here and in the rival's process."""

import os
import time

VARIABLE = "GAHR_BENCHMARK_CLOCK"
"""Set to "processor", this variable takes the processor time of all threads for the time."""


def now():
    """Seconds; processor time does not depend on what else the machine does."""
    if os.environ.get(VARIABLE) == "processor":
        return time.process_time()
    return time.perf_counter()
