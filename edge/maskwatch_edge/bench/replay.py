"""Frames that were decoded before and are shown again and again, as fast as wanted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count

from maskwatch_edge.cameras.sources import ASSUMED_FRAMES_PER_SECOND, open_source
from maskwatch_edge.closing import Closing
from maskwatch_edge.errors import SourceError
from maskwatch_edge.frame import Frame

MOST_BYTES = 160 * 1024 * 1024
"""Frames beyond are not held: a board has little memory, and what is measured needs some, too."""


@dataclass(frozen=True, eq=False)
class Reel:
    """Frames in memory.

    Attributes:
        frames: At least two, so that nobody takes them for those of a camera that froze.
    """

    frames: Sequence[Frame]

    @property
    def frames_per_second(self) -> float:
        """Rate at which they were taken."""
        return self.frames[0].frames_per_second or ASSUMED_FRAMES_PER_SECOND


def load_reel(name: str, most_frames: int, most_bytes: int = MOST_BYTES) -> Reel:
    """Decode a picture, a folder or a video.

    Args:
        name: Its path.
        most_frames: No more are wanted.
        most_bytes: No more are held, but always one frame.

    Raises:
        SourceError: If it cannot be read, or holds no frame.
    """
    frames: list[Frame] = []
    held_bytes = 0
    with open_source(name) as source:
        for frame in source.frames():
            held_bytes += frame.pixels.nbytes
            if frames and (held_bytes > most_bytes or len(frames) == most_frames):
                break
            frames.append(frame)
    if not frames:
        raise SourceError(f"{name} holds no readable frame; expected a picture or a video")
    return Reel(_moving(frames))


def _moving(frames: list[Frame]) -> list[Frame]:
    """Add a second frame to a single one, a pixel of it a little lighter or darker."""
    if len(frames) > 1:
        return frames
    pixels = frames[0].pixels.copy()
    pixels[0, 0] ^= 1
    return [*frames, replace(frames[0], pixels=pixels)]


class Replay(Closing):
    """Shows a reel for ever; a source as good as any other.

    Args:
        reel: What is shown.
        rate: Frames a second, as of a camera: one that is not taken in time is lost. Without it
            every frame is taken, as from a file, and has the time that it would have there.
        clock: Monotonic seconds.
        sleep: Waits for so many seconds.
    """

    def __init__(
        self,
        reel: Reel,
        rate: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.is_live = rate is not None
        self._reel, self._rate = reel, rate
        self._clock, self._sleep = clock, sleep

    def frames(self) -> Iterator[Frame]:
        """Give frame after frame, without end."""
        times = self._times_of_file() if self._rate is None else self._due_times(self._rate)
        for number, seconds in enumerate(times):
            frame = self._reel.frames[number % len(self._reel.frames)]
            yield replace(frame, number=number, time_seconds=seconds)

    def _times_of_file(self) -> Iterator[float]:
        return (number / self._reel.frames_per_second for number in count())

    def _due_times(self, rate: float) -> Iterator[float]:
        due_seconds = self._clock()
        while True:
            self._sleep(max(due_seconds - self._clock(), 0.0))
            yield due_seconds
            due_seconds += 1 / rate
