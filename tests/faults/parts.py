"""Finder, judge, output and disk that work, until they are told in which way not to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.closing import Closing
from maskwatch_edge.contract import WITH_MASK, WITHOUT_MASK
from maskwatch_edge.finders import FaceFinder
from maskwatch_edge.frame import Pixels
from maskwatch_edge.recall import Judge
from maskwatch_edge.statistics.counting import Counts, Tally
from maskwatch_edge.statistics.recorder import CLOCK_SET_SECONDS
from maskwatch_edge.statistics.store import Store
from maskwatch_edge.verdict import Verdict
from maskwatch_edge.view import View

GREY = 128


class Trouble:
    """What is wrong with a part.

    Args:
        pass_time: Lets so many seconds pass while the part is busy.

    Attributes:
        error: What it raises; None while it works.
        hang_seconds: How long its next call takes, once.
        slow_seconds: How long each call takes.
    """

    def __init__(self, pass_time: Callable[[float], None]) -> None:
        self._pass_time = pass_time
        self.error: Exception | None = None
        self.hang_seconds = self.slow_seconds = 0.0

    def strike(self) -> None:
        """Be in a part's way; called by the part."""
        hang_seconds, self.hang_seconds = self.hang_seconds, 0.0
        if seconds := hang_seconds + self.slow_seconds:
            self._pass_time(seconds)
        if self.error is not None:
            raise self.error.with_traceback(None)  # or that would grow, and hold pictures


class MiddleFinder:
    """Takes whatever is not grey in the middle of a picture for a face."""

    def find(self, pixels: Pixels) -> list[FaceBox]:
        height, width = pixels.shape[:2]
        if abs(int(pixels[height // 2, width // 2, 0]) - GREY) < 30:
            return []
        return [FaceBox(width // 4, height // 4, width * 3 // 4 + 1, height * 3 // 4 + 1, 0.9)]


class ColourJudge:
    """Takes green for a mask."""

    def classify(self, pixels: Pixels, boxes: Sequence[FaceBox]) -> list[Verdict]:
        return [Verdict(self._label(pixels, box), 0.95) for box in boxes]

    def _label(self, pixels: Pixels, box: FaceBox) -> str:
        red, green, _ = pixels[(box.y1 + box.y2) // 2, (box.x1 + box.x2) // 2]
        return WITH_MASK if green > red else WITHOUT_MASK


class TroubledFinder:
    """A finder that can be broken.

    Attributes:
        looked_seconds: When the newest look that succeeded began: nothing may be said longer.
    """

    def __init__(self, finder: FaceFinder, trouble: Trouble, clock: Callable[[], float]) -> None:
        self._finder, self._trouble, self._clock = finder, trouble, clock
        self.looked_seconds = float("-inf")

    def find(self, pixels: Pixels) -> list[FaceBox]:
        began_seconds = self._clock()
        self._trouble.strike()
        boxes = self._finder.find(pixels)
        self.looked_seconds = began_seconds
        return boxes


class TroubledJudge:
    """A judge that can be broken."""

    def __init__(self, judge: Judge, trouble: Trouble) -> None:
        self._judge, self._trouble = judge, trouble

    def classify(self, pixels: Pixels, boxes: Sequence[FaceBox]) -> list[Verdict]:
        if boxes:
            self._trouble.strike()
        return self._judge.classify(pixels, boxes)


class Sink(Closing):
    """An output that remembers when it was shown something.

    Args:
        opening: What is wrong when it is opened.
        showing: What is wrong when it is shown something.
        closing: What is wrong when it is closed.
    """

    def __init__(self, opening: Trouble, showing: Trouble, closing: Trouble) -> None:
        opening.strike()
        self._showing, self._closing = showing, closing
        self.shown_seconds = float("-inf")

    def show(self, view: View) -> None:
        self._showing.strike()
        self.shown_seconds = view.time_seconds

    def close(self) -> None:
        self._closing.strike()


class Witness(Closing):
    """The last output, which tells what it is shown."""

    def __init__(self, tell: Callable[[View], None]) -> None:
        self.show = tell


class TroubledStore(Store):
    """The file of the statistics, on a disk that may be full."""

    def __init__(self, path: Path, disk: Trouble) -> None:
        disk.strike()
        self._disk = disk
        super().__init__(path, keep_days=1_000_000)

    def add(self, batch: Mapping[int, Counts]) -> None:
        self._disk.strike()
        super().add(batch)


class Ledger(Closing):
    """Counts by itself what the statistics must come to.

    Args:
        wall_clock: The time of day.
    """

    def __init__(self, wall_clock: Callable[[], float]) -> None:
        self._wall_clock, self._tally = wall_clock, Tally()
        self._minutes = defaultdict[int, Counts](Counts)

    @property
    def counts(self) -> Counts:
        """All of it; a minute that a wrong clock showed twice has 60 seconds all the same."""
        return sum(map(_within_a_minute, self._minutes.values()), Counts())

    def show(self, view: View) -> None:
        self._add(self._tally.take(view))

    def begin_anew(self) -> None:
        """Do as the statistics do when the program ends."""
        self._add(self._tally.end())
        self._tally = Tally()

    def _add(self, counts: Counts) -> None:
        now = self._wall_clock()
        if now >= CLOCK_SET_SECONDS:
            minute, second = divmod(now, 60)
            before, after = counts.split(second)
            self._minutes[int(minute) - 1] += before
            self._minutes[int(minute)] += after


def _within_a_minute(counts: Counts) -> Counts:
    return replace(
        counts,
        seen_seconds=min(counts.seen_seconds, 60.0),
        away_seconds=min(counts.away_seconds, 60.0),
    )
