"""A long watch: does memory grow, or the number of open files, or of threads?

    python -m benchmarks.soak                 # 200,000 frames, some minutes

The service of `maskwatch run` watches people come, sway, put masks on and go, and an empty room in
between, as a door does, as fast as it can.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from maskwatch_edge.bench.progress import Progress
from maskwatch_edge.bench.replay import Reel, Replay
from maskwatch_edge.bench.rig import Rig, rigged
from maskwatch_edge.bench.turns import next_turn
from maskwatch_edge.config import Config, OutputConfig

from .measuring import parser_of, write_figures
from .scenes import clip, empty_room

FRAMES = 200_000
SAMPLES = 20
BUSY, IDLE = 150, 1350
"""Frames of the clip, then of an empty room, again and again: somebody is there a tenth of the
time."""

SETTLED = 4
"""Samples before this one do not count: allocators and caches find their size."""

MOST_GROWTH = 0.02
"""Memory that may be more at the end than when it had settled, as a share."""


@dataclass(frozen=True)
class Sample:
    """What the process held at one moment.

    Attributes:
        frames: Seen until then.
        rss_mb: Memory that is in use, in MB of 1,000,000 bytes.
        files: Open file descriptors.
        threads: Threads of Python.
    """

    frames: int
    rss_mb: float
    files: int
    threads: int

    def __str__(self) -> str:
        held = f"{self.rss_mb:6.1f} MB  {self.files} files  {self.threads} threads"
        return f"{self.frames:9,} frames  {held}"


def main() -> int:
    """Watch, print what was held, and return 1 if it grew."""
    parser = parser_of(__doc__, "soak.json")
    parser.add_argument("--frames", type=int, default=FRAMES, help="how many are watched")
    options = parser.parse_args()
    samples = watch(options.frames)
    for each in samples:
        print(each)
    write_figures(options.json, {"samples": [asdict(each) for each in samples]})
    wrong = grown(samples)
    for line in wrong:
        print(f"error: {line}", file=sys.stderr)
    return 1 if wrong else 0


def watch(frames: int) -> list[Sample]:
    """Let the service see so many frames, and look at the process now and then."""
    reel = door()
    progress, samples = Progress(frames), []
    with rigged(Config(output=OutputConfig(lines="none")), lambda camera: Replay(reel)) as rig:
        for number in range(1, frames + 1):
            turn(rig)
            progress.show(number)
            if number % max(frames // SAMPLES, 1) == 0:
                samples.append(sample(number))
    progress.clear()
    return samples


def turn(rig: Rig) -> None:
    """Let the service see the next frame."""
    next_turn(rig, is_live=False, patience_seconds=60.0)


def door() -> Reel:
    """Return people in front of a door, and the long time without."""
    people, room = clip(BUSY).frames, empty_room(2).frames
    nobody = [room[number % len(room)] for number in range(IDLE)]
    return Reel([replace(frame, source="door") for frame in [*people, *nobody]])


def sample(frames: int) -> Sample:
    """Look at this process."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    files = len(list(Path("/proc/self/fd").iterdir()))
    return Sample(frames, pages * 4096 / 1e6, files, threading.active_count())


def grown(samples: Sequence[Sample]) -> list[str]:
    """Say what is more at the end than when it had settled, a line each."""
    first, last = samples[min(SETTLED, len(samples) - 1)], samples[-1]
    wrong = []
    if last.rss_mb > first.rss_mb * (1 + MOST_GROWTH):
        wrong.append(f"memory grew from {first.rss_mb:.1f} to {last.rss_mb:.1f} MB")
    if last.files > first.files:
        wrong.append(f"open files grew from {first.files} to {last.files}")
    if last.threads > first.threads:
        wrong.append(f"threads grew from {first.threads} to {last.threads}")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
