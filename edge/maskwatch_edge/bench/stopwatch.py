"""Where the time of a turn goes: parts of the real service that are timed, each in its own way.

Nothing here does a part's work: each wraps the part that `maskwatch run` has.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.cameras.camera import CameraReader
from maskwatch_edge.finders import FaceFinder
from maskwatch_edge.frame import Frame, Pixels
from maskwatch_edge.pipeline import FIND, JUDGE
from maskwatch_edge.recall import Judge
from maskwatch_edge.verdict import Verdict
from maskwatch_edge.view import Output, View

WAIT, TELL = "wait", "tell"
"""The other stages of a turn: for a frame to come, and for the outputs."""


class Stopwatch:
    """Adds up the seconds of each stage, lap by lap.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._seconds: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def timing(self, stage: str) -> Iterator[None]:
        """Count the block to a stage."""
        began_seconds = self.clock()
        try:
            yield
        finally:
            self._seconds[stage] += self.clock() - began_seconds

    def lap(self) -> dict[str, float]:
        """Return the seconds of each stage that was entered since the lap before."""
        seconds, self._seconds = dict(self._seconds), defaultdict(float)
        return seconds


class TimedFinder:
    """A finder whose time is counted.

    Args:
        finder: Finds the faces.
        stopwatch: Counts.
    """

    def __init__(self, finder: FaceFinder, stopwatch: Stopwatch) -> None:
        self._finder, self._stopwatch = finder, stopwatch

    def find(self, pixels: Pixels) -> list[FaceBox]:
        """Find faces; see `FaceFinder.find`."""
        with self._stopwatch.timing(FIND):
            return self._finder.find(pixels)


class TimedJudge:
    """A classifier whose time is counted.

    Args:
        judge: Judges the faces.
        stopwatch: Counts.
    """

    def __init__(self, judge: Judge, stopwatch: Stopwatch) -> None:
        self._judge, self._stopwatch = judge, stopwatch

    def classify(self, pixels: Pixels, boxes: Sequence[FaceBox]) -> list[Verdict]:
        """Judge each face; see `MaskClassifier.classify`."""
        if not boxes:
            return []
        with self._stopwatch.timing(JUDGE):
            return self._judge.classify(pixels, boxes)


class TimedReader(CameraReader):
    """The reader of the camera, the time that its frames are waited for counted."""

    stopwatch: Stopwatch | None = None

    def newest(self, timeout_seconds: float) -> Frame | None:
        """Return the newest frame; see `CameraReader.newest`."""
        if self.stopwatch is None:
            return super().newest(timeout_seconds)
        with self.stopwatch.timing(WAIT):
            return super().newest(timeout_seconds)


class TimedOutput:
    """An output whose time is counted.

    Args:
        output: Told of every view.
        stopwatch: Counts.
    """

    def __init__(self, output: Output, stopwatch: Stopwatch) -> None:
        self._output, self._stopwatch = output, stopwatch

    def show(self, view: View) -> None:
        """Take one view; see `Output.show`."""
        with self._stopwatch.timing(TELL):
            self._output.show(view)

    def close(self) -> None:
        """Finish; may be called twice."""
        self._output.close()
