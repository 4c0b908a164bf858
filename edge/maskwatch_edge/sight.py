"""What is known of the people before the camera, for as long as it may be believed."""

from __future__ import annotations

from math import inf

from .backoff import Backoff
from .config import DecisionConfig
from .errors import LookError, words_of
from .events import Event
from .faults import Fault, Warn
from .frame import Frame
from .pipeline import Look, StreamWatcher
from .tracks import Track, Tracker

FIRST_SECONDS, LONGEST_SECONDS = 0.5, 30.0
"""After a look that failed, no frame is looked at for so long at first, and at most."""

GIVE_UP_SECONDS = 60.0
"""Looks that fail for so long are not mended by waiting; a program that starts afresh may be."""

NOTHING = Look((), is_new=False)
"""What is known without a frame."""


class Sight:
    """Looks at frames, follows the people in them, and takes back what has grown too old.

    A look may fail as nobody foresaw: in OpenCV, in the interpreter, for want of memory. Then
    nothing is known of anybody, which is told once, and it is tried again after waits that double.

    Args:
        watcher: Finds and judges the faces.
        decision: How people are followed, and for how long a verdict is believed.
        warn: Told that looks fail, and that they work again.

    Attributes:
        look: The newest one; `NOTHING` if it is not to be believed.
    """

    def __init__(self, watcher: StreamWatcher, decision: DecisionConfig, warn: Warn) -> None:
        self._watcher, self._warn = watcher, warn
        self._tracker = Tracker(decision)
        self._stale_seconds = decision.stale_seconds
        self._frame_seconds = self._ahead_seconds = 0.0
        self._looked_seconds = -inf
        self._backoff = Backoff(FIRST_SECONDS, LONGEST_SECONDS)
        self._failures = 0
        self._failing_since = self._retry_at = self._trusted_at = -inf
        self.look = NOTHING

    @property
    def tracks(self) -> tuple[Track, ...]:
        """Everyone who is followed."""
        return self._tracker.tracks

    def age_seconds(self, now_seconds: float) -> float:
        """Return how old the oldest thing is that is said; infinite if nothing is known."""
        time_of_frames = now_seconds + self._ahead_seconds
        unseen = (time_of_frames - track.last_seconds for track in self.tracks)
        return max(now_seconds - self._looked_seconds, *unseen, 0.0)

    def see(self, frame: Frame, now_seconds: float) -> list[Event]:
        """Look at a frame, and return what happened.

        Args:
            frame: The newest.
            now_seconds: Monotonic clock, when it was taken over; a file's frames have another.

        Raises:
            LookError: If looks fail for `GIVE_UP_SECONDS`.
        """
        if now_seconds < self._retry_at:
            return []
        try:
            events = self._look(frame)
        except Exception as error:
            return self._fail(error, now_seconds)
        if self.look.is_new:
            self._looked_seconds = now_seconds
            self._ahead_seconds = frame.time_seconds - now_seconds
        if self._failures and now_seconds >= self._trusted_at:
            self._recover()
        return events

    def expire(self, now_seconds: float) -> list[Event]:
        """Take back what is older than `stale_seconds`, and return who is gone with it."""
        if now_seconds - self._looked_seconds > self._stale_seconds:
            self._forget()
        return self._tracker.expire(now_seconds + self._ahead_seconds)

    def lose(self, now_seconds: float, *, is_over: bool = False) -> list[Event]:
        """Forget everybody, as when the camera is lost, and return that they left.

        Args:
            now_seconds: Monotonic clock.
            is_over: Whether it was a file, which has a time of its own.
        """
        self._forget()
        return self._tracker.lose_all(self._frame_seconds if is_over else now_seconds)

    def _look(self, frame: Frame) -> list[Event]:
        self._frame_seconds = frame.time_seconds
        self.look = self._watcher.look(frame)
        if not self.look.is_new:
            return []
        return self._tracker.update(self.look.sightings, frame.time_seconds)

    def _forget(self) -> None:
        self._watcher.forget()
        self.look, self._looked_seconds = NOTHING, -inf

    def _fail(self, error: Exception, now_seconds: float) -> list[Event]:
        if not self._failures:
            self._failing_since = now_seconds
            told = f"cannot look for faces: {words_of(error)}; nothing is told of anybody"
            self._warn(Fault.LOOK_FAILED.begun(told))
        elif now_seconds - self._failing_since >= GIVE_UP_SECONDS:
            raise LookError(
                f"looking for faces failed {self._failures + 1} times in "
                f"{now_seconds - self._failing_since:.0f} s: {words_of(error)}; start it afresh"
            ) from error
        self._failures += 1
        wait_seconds = self._backoff.next_seconds()
        self._retry_at = now_seconds + wait_seconds
        self._trusted_at = self._retry_at + wait_seconds
        return self.lose(now_seconds)

    def _recover(self) -> None:
        told = f"faces are looked for again; {self._failures} looks had failed"
        self._warn(Fault.LOOK_FAILED.ended(told))
        self._backoff.reset()
        self._failures = 0
