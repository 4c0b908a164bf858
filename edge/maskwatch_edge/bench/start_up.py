"""The real program, started once more: how long until it says something, and its memory."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from maskwatch_edge.config.file import LoadedConfig, to_toml
from maskwatch_edge.errors import SourceError
from maskwatch_edge.memory import PEAK, memory_mb

from .clip import SHIPPED_CLIP

FRAMES = 30
"""So many frames are watched before the memory is read: by then all of it was touched."""


@dataclass(frozen=True)
class StartUp:
    """What one start of the program showed.

    Attributes:
        seconds: From the start of the process to the verdict on the first frame.
        peak_rss_mb: The most memory that it held at once, in MB of 1,000,000 bytes; None where the
            kernel does not tell.
    """

    seconds: float
    peak_rss_mb: float | None


def start_program(
    loaded: LoadedConfig, clip: Path = SHIPPED_CLIP, clock: Callable[[], float] = time.monotonic
) -> StartUp:
    """Start `maskwatch run` on a clip, without display, and end it after some frames.

    Args:
        loaded: How it is configured otherwise.
        clip: What it watches.
        clock: Monotonic seconds.

    Raises:
        SourceError: If it ends without a verdict, with its own words.
    """
    with TemporaryDirectory(prefix="maskwatch-bench-") as folder:
        config = Path(folder) / "config.toml"
        config.write_text(to_toml(loaded))
        began_seconds = clock()
        with subprocess.Popen(  # noqa: S603
            _command(config, clip), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                return _watch(process, began_seconds, clock)
            finally:
                process.kill()


def _command(config: Path, clip: Path) -> list[str]:
    program = [sys.executable, "-m", "maskwatch_edge", "run", "--config", str(config)]
    return [*program, "--display", "none", "--source", str(clip), "--lines", "frames"]


def _watch(
    process: subprocess.Popen[str], began_seconds: float, clock: Callable[[], float]
) -> StartUp:
    assert process.stdout is not None
    if not process.stdout.readline():
        errors = process.communicate()[1]
        raise SourceError(f"maskwatch run ended without a verdict: {errors.strip()}")
    seconds = clock() - began_seconds
    for _ in range(FRAMES - 1):
        process.stdout.readline()
    return StartUp(seconds, memory_mb(PEAK, process.pid))
