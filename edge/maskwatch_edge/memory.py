"""How much memory a process holds, as the kernel tells it."""

from __future__ import annotations

from pathlib import Path

NOW, PEAK = "VmRSS", "VmHWM"
"""Fields of /proc/PID/status; see proc(5)."""


def memory_mb(field: str, process: int | str = "self") -> float | None:
    """Read the memory of a running process.

    Not `ru_maxrss`, which for a child is never less than its parent had when it was started.

    Args:
        field: `NOW` or `PEAK`.
        process: Its number, or "self".

    Returns:
        MB of 1,000,000 bytes; None where the kernel does not tell it.
    """
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return None
    sizes = [line.split()[1] for line in lines if line.startswith(f"{field}:")]
    return int(sizes[0]) * 1024 / 1e6 if sizes else None
