"""What the processor has."""

from pathlib import Path

_CPU_INFO = Path("/proc/cpuinfo")

_BFLOAT16 = {"avx512_bf16", "amx_bf16", "avx_ne_convert", "bf16"}
"""Names of the instructions for bfloat16 on x86 and Arm."""


def has_bfloat16():
    """Whether it has instructions for bfloat16; None where the system does not say (only Linux does)."""
    try:
        lines = _CPU_INFO.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        name, _, words = line.partition(":")
        if name.strip() in {"flags", "Features"}:
            return not _BFLOAT16.isdisjoint(words.split())
    return None
