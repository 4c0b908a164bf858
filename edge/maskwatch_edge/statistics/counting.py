"""What is counted: each person once, and for how long the camera saw."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Self

from maskwatch_edge.cameras.state import CameraState
from maskwatch_edge.events import Event, EventKind
from maskwatch_edge.verdict import Decision
from maskwatch_edge.view import View

LONGEST_TURN_SECONDS = 5.0
"""If two views are further apart, nobody watched in between: the loop hung or the board slept."""

AWAY = (CameraState.WAITING, CameraState.LOST)


@dataclass(frozen=True)
class Counts:
    """What happened in some span of time.

    Attributes:
        mask: People of whom a mask was the first thing claimed.
        no_mask: People of whom no mask was the first thing claimed.
        unsure: People who left without a claim.
        put_on: How often someone who was claimed unmasked was claimed masked then.
        taken_off: How often it went the other way.
        seen_seconds: For how long the camera gave pictures.
        away_seconds: For how long the camera was waited for.
    """

    mask: int = 0
    no_mask: int = 0
    unsure: int = 0
    put_on: int = 0
    taken_off: int = 0
    seen_seconds: float = 0.0
    away_seconds: float = 0.0

    @property
    def people(self) -> int:
        """Everyone, once."""
        return self.mask + self.no_mask + self.unsure

    def __add__(self, other: Self) -> Self:
        """Return the sum of both."""
        sums = (getattr(self, name) + getattr(other, name) for name in NAMES)
        return type(self)(*sums)

    def split(self, seconds: float) -> tuple[Self, Self]:
        """Return the time before the last so many seconds, and all that is in them.

        Args:
            seconds: Into the minute, for a turn that may have begun in the one before.
        """
        seen, away = min(self.seen_seconds, seconds), min(self.away_seconds, seconds)
        before = type(self)(
            seen_seconds=self.seen_seconds - seen, away_seconds=self.away_seconds - away
        )
        return before, replace(self, seen_seconds=seen, away_seconds=away)


NAMES = tuple(field.name for field in fields(Counts))

FIRST_CLAIM = {Decision.MASK: Counts(mask=1), Decision.NO_MASK: Counts(no_mask=1)}
OTHER_CLAIM = {Decision.MASK: Counts(put_on=1), Decision.NO_MASK: Counts(taken_off=1)}


class Tally:
    """Turns views into counts.

    A person is an announced track, and is counted once: at the first claim, mask or no mask, that
    is told of it, or as unsure when it leaves without one. So whoever comes unmasked and puts the
    mask on counts as `no_mask` and under `put_on`. Who is lost from sight for longer than
    `decision.forget_seconds` is somebody new.
    """

    def __init__(self) -> None:
        self._claims: dict[int | None, Decision | None] = {}
        self._before: View | None = None

    def take(self, view: View) -> Counts:
        """Return what a view adds to what was counted before."""
        counts = self._watched(view)
        for event in view.events:
            counts += self._told(event)
        return counts

    def end(self) -> Counts:
        """Return what those add who are still there without a claim; everyone is forgotten."""
        unsure = sum(claim is None for claim in self._claims.values())
        self._claims.clear()
        return Counts(unsure=unsure)

    def _watched(self, view: View) -> Counts:
        before, self._before = self._before, view
        seconds = 0.0 if before is None else view.time_seconds - before.time_seconds
        if before is None or not 0 < seconds <= LONGEST_TURN_SECONDS:
            return Counts()
        if before.camera is CameraState.SEEING:
            return Counts(seen_seconds=seconds)
        return Counts(away_seconds=seconds) if before.camera in AWAY else Counts()

    def _told(self, event: Event) -> Counts:
        if event.kind is EventKind.CAMERA:
            return Counts()
        if event.kind is EventKind.LEFT:
            return Counts(unsure=int(self._claims.pop(event.track, None) is None))
        return self._claimed(event.track, event.decision)

    def _claimed(self, track: int | None, decision: Decision | None) -> Counts:
        before = self._claims.setdefault(track, None)
        if decision not in FIRST_CLAIM or decision is before:
            return Counts()
        self._claims[track] = decision
        return FIRST_CLAIM[decision] if before is None else OTHER_CLAIM[decision]
