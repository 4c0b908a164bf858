"""What the thread of a camera does: open, read, and rest before the next try."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from math import inf
from threading import Event

from maskwatch_edge.backoff import Backoff
from maskwatch_edge.config import CameraConfig
from maskwatch_edge.errors import MissingExtraError, SourceError, words_of
from maskwatch_edge.frame import Frame

from .addresses import is_camera, without_password
from .handover import Handover
from .patience import FreezeGuard
from .sources import FrameSource

OPENING_SECONDS = 30.0
"""A camera that takes longer to open than this hangs; network cameras may take ten."""

LOOK_SECONDS = 0.5
"""How often it is looked whether a camera that was pulled is plugged in again."""


class Turn:
    """The time that one thread has at the camera, and since when it is in a call to a driver.

    Args:
        now_seconds: Monotonic clock.
    """

    def __init__(self, now_seconds: float) -> None:
        self.over = Event()
        self._busy: tuple[float, float] = (now_seconds, inf)

    def expect(self, now_seconds: float, limit_seconds: float) -> None:
        """Say that a call begins which should take no longer than that."""
        self._busy = now_seconds, limit_seconds

    def overdue_seconds(self, now_seconds: float) -> float:
        """Return how much too long the call takes; below 0 while it does not."""
        began_seconds, limit_seconds = self._busy
        return now_seconds - began_seconds - limit_seconds


class Reading:
    """Reads one camera or file, as many turns as it takes.

    Args:
        config: The camera, and how patient to be with it.
        open_source: Opens it.
        handover: Where frames and news are left.
        clock: Monotonic seconds.
        wait: Waits for an event at most so many seconds.
        is_plugged: Tells whether the device file of a source's name is there.
    """

    def __init__(
        self,
        config: CameraConfig,
        open_source: Callable[[CameraConfig], FrameSource],
        handover: Handover,
        clock: Callable[[], float],
        wait: Callable[[Event, float], object],
        is_plugged: Callable[[str], bool],
    ) -> None:
        self._config, self._open_source, self._handover = config, open_source, handover
        self._clock, self._wait, self._is_plugged = clock, wait, is_plugged
        self._is_live = is_camera(config.source)
        self._backoff = Backoff(config.retry_first_seconds, config.retry_longest_seconds)
        self._freeze = FreezeGuard(config.stall_seconds)

    def run(self, turn: Turn, *, is_first: bool) -> None:
        """Read until the turn is over, or the file is; rest before if it is not the first turn."""
        try:
            is_at_end = is_first and self._read(turn)
            while not turn.over.is_set() and not is_at_end:
                self._rest(turn)
                is_at_end = not turn.over.is_set() and self._read(turn)
        except Exception as error:  # a thread has no caller to tell: `newest` raises it
            self._handover.fail(turn.over, error)

    def lose(self, turn: Turn, reason: str) -> None:
        """Say that the camera is lost."""
        self._backoff.worked(self._handover.lose(turn.over, reason))

    def _read(self, turn: Turn) -> bool:
        """Open and read until the camera is lost, or the file is at its end, which is True."""
        try:
            self._expect(turn, OPENING_SECONDS)
            with closing(self._open_source(self._config)) as source:
                self._is_live = source.is_live
                self._freeze.restart(self._clock())
                self._read_frames(turn, source)
        except MissingExtraError:
            raise
        except Exception as error:  # also what a driver raises, and a frame of a wrong shape
            if not self._is_live:
                raise
            self.lose(turn, words_of(error))
            return False
        self._handover.end(turn.over)
        return True

    def _read_frames(self, turn: Turn, source: FrameSource) -> None:
        self._expect(turn, self._config.stall_seconds)
        for frame in source.frames():
            if not self._give(turn, frame):
                return
            self._expect(turn, self._config.stall_seconds)
        if self._is_live:
            raise SourceError(f"{without_password(self._config.source)} gives no more pictures")

    def _give(self, turn: Turn, frame: Frame) -> bool:
        """Hand a frame over; False if the turn is over."""
        if not self._is_live:
            return self._handover.give_next(turn.over, frame)
        if turn.over.is_set():
            return False
        if not self._freeze.is_news(frame.pixels, self._clock()):
            return True
        return self._handover.give_newest(turn.over, frame)

    def _expect(self, turn: Turn, limit_seconds: float) -> None:
        turn.expect(self._clock(), limit_seconds if self._is_live else inf)

    def _rest(self, turn: Turn) -> None:
        turn.expect(self._clock(), inf)
        until_seconds = self._clock() + self._backoff.next_seconds()
        was_plugged = self._is_plugged(self._config.source)
        while not turn.over.is_set() and (left := until_seconds - self._clock()) > 0:
            self._wait(turn.over, min(left, LOOK_SECONDS))
            is_plugged = self._is_plugged(self._config.source)
            if is_plugged and not was_plugged:
                self._backoff.reset()
                return
            was_plugged = is_plugged
