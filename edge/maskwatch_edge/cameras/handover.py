"""Where the thread that reads a camera leaves frames and news, and the service takes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from threading import Condition, Event

from maskwatch_edge.frame import Frame

from .state import CameraState


class Handover:
    """One place for one frame, and what is known of the camera; safe to use from many threads.

    Whoever gives shows an event, which is set once its time is over: from then on it may neither
    give nor tell anything.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._changed = Condition()
        self._frame: Frame | None = None
        self._failure: Exception | None = None
        self._count = 0
        self.state, self.state_since_seconds = CameraState.WAITING, clock()
        self.reconnects = 0
        self.last_error: str | None = None

    def give_newest(self, over: Event, frame: Frame) -> bool:
        """Leave a frame in place of the one before; its number goes on from that one's.

        Returns:
            Whether to go on giving.
        """
        with self._changed:
            if over.is_set():
                return False
            self._leave(replace(frame, number=self._count))
            self._count += 1
            return True

    def give_next(self, over: Event, frame: Frame) -> bool:
        """Leave a frame once the one before was taken.

        Returns:
            Whether to go on giving.
        """
        with self._changed:
            self._wait_until_taken(over)
            if over.is_set():
                return False
            self._leave(frame)
            return True

    def lose(self, over: Event, reason: str) -> float:
        """Say that the camera is lost; the frame that nobody took goes with it.

        Returns:
            For how many seconds pictures had come; 0 if none did.
        """
        with self._changed:
            if over.is_set():
                return 0.0
            self.last_error = reason
            self._frame = None
            if self.state is not CameraState.SEEING:
                return 0.0
            seen_seconds = self._clock() - self.state_since_seconds
            self._enter(CameraState.LOST)
            return seen_seconds

    def end(self, over: Event) -> None:
        """Say that there is nothing more, once the last frame was taken."""
        with self._changed:
            self._wait_until_taken(over)
            if not over.is_set():
                self._enter(CameraState.ENDED)

    def fail(self, over: Event, error: Exception) -> None:
        """Pass on an error that waiting does not mend; it comes out where frames are taken."""
        with self._changed:
            if not over.is_set():
                self._failure = error
                self.last_error = str(error)
                self._changed.notify_all()

    def take(self, timeout_seconds: float) -> Frame | None:
        """Take the frame, or wait for one; None if none comes in time, or none ever will."""
        with self._changed:
            self._changed.wait_for(self._is_worth_a_look, timeout_seconds)
            if self._failure is not None:
                raise self._failure
            frame, self._frame = self._frame, None
            self._changed.notify_all()
            return frame

    def dismiss(self, over: Event) -> None:
        """End the time of one who gives."""
        with self._changed:
            over.set()
            self._changed.notify_all()

    def close(self) -> None:
        """Drop what was left here: nothing more will be taken."""
        with self._changed:
            self._frame = self._failure = None
            self._enter(CameraState.ENDED)

    def _leave(self, frame: Frame) -> None:
        self._frame = frame
        self.reconnects += self.state is CameraState.LOST
        self._enter(CameraState.SEEING)

    def _enter(self, state: CameraState) -> None:
        if state is not self.state:
            self.state, self.state_since_seconds = state, self._clock()
        self._changed.notify_all()

    def _wait_until_taken(self, over: Event) -> None:
        self._changed.wait_for(lambda: self._frame is None or over.is_set())

    def _is_worth_a_look(self) -> bool:
        is_over = self._failure is not None or self.state is CameraState.ENDED
        return is_over or self._frame is not None
