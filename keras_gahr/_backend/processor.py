"""What the processor has."""

import functools
import os
import platform
from pathlib import Path

_CPU_INFO = Path("/proc/cpuinfo")

_BFLOAT16 = {"avx512_bf16", "amx_bf16", "avx_ne_convert", "bf16"}
"""Names of the instructions for bfloat16 on x86 and Arm."""

_WIDE = ("avx2", "avx512f", "avx512_bf16", "amx_tile", "asimd", "bf16", "sve", "sve2", "sme")
"""Names of instructions that compute several numbers at once."""


def has_bfloat16():
    """Whether it has instructions for bfloat16; None where the system does not say (only Linux does)."""
    flags = _flags()
    return None if flags is None else not _BFLOAT16.isdisjoint(flags)


def processor():
    """Its name and what it computes with, in words: virtual machines give several the same name."""
    name = _line("model name") or platform.processor() or platform.machine()
    return " ".join([name, *(flag for flag in _WIDE if flag in (_flags() or ()))])


def cores():
    """How many of its cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _flags():
    words = _line("flags") or _line("Features")
    return None if words is None else words.split()


def _line(wanted):
    """What the system says first under a name, or None."""
    for line in _lines(_CPU_INFO):
        name, _, words = line.partition(":")
        if name.strip() == wanted:
            return words.strip()
    return None


@functools.cache
def _lines(path):
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
