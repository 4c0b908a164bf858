"""A clock that only a test moves, and that threads rest by."""

from __future__ import annotations

from threading import Condition, Event, get_ident

NUDGE_SECONDS = 0.02
"""Who rests looks so often whether its time is over for another reason, which nobody tells it."""


class LockstepClock:
    """Monotonic seconds that stand still until they are moved."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._seconds = 1000.0
        self._until: dict[int, float] = {}

    def __call__(self) -> float:
        return self._seconds

    def advance(self, seconds: float) -> None:
        """Move it, and wake whose rest is over."""
        with self._changed:
            self._seconds += seconds
            self._changed.notify_all()

    def rest(self, over: Event, seconds: float) -> None:
        """Rest until it was moved so far, or the event is set; the `wait` of a `CameraReader`."""
        with self._changed:
            until = self._until[get_ident()] = self._seconds + seconds
            while self._seconds < until and not over.is_set():
                self._changed.wait(NUDGE_SECONDS)
            del self._until[get_ident()]

    @property
    def resting(self) -> int:
        """How many threads go on resting if it is not moved."""
        with self._changed:
            return sum(until > self._seconds for until in self._until.values())
