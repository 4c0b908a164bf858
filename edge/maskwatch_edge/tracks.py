"""From sightings to people: who is the same as a moment ago, and what is said of them.

`pairing` tells who is who, `stance` decides what is said of one person, and `Tracker` keeps the
people and tells the events. Nothing here reads a clock.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from .boxes import FaceBox
from .config import DecisionConfig
from .errors import InputError
from .events import Event, EventKind
from .pairing import candidates, pair_up
from .stance import Stance, Votes, mask_probability
from .verdict import Decision, Sighting

MIN_SIGHTINGS = 2
"""So many looks in a row must find a face before it is announced: false alarms flicker."""

SURE_FACE = 0.5
"""Score of the finder from which a face may be somebody new. Less sure ones only keep those in view
who are followed already (Zhang et al., "ByteTrack", 2022)."""

MIN_MISSES = 2
"""So many looks in a row must miss a face before it is forgotten, however slow they are."""

MAX_TRACKS = 64
"""Bound of memory and time: so many people are followed, whatever comes."""

STALL_GAPS = 4
"""A pause so many times longer than usual is more than a slow finder: what was before is stale."""


@dataclass(frozen=True)
class Track:
    """One person, followed from frame to frame.

    Attributes:
        id: Counts from 1.
        box: Where the face is now, or was when it was last seen.
        decision: What is said of it: a vote over the last frames.
        sighting: The newest single sighting.
        first_seconds: When it was first seen.
        last_seconds: When it was last seen; earlier than the frame if the frame misses it.
    """

    id: int
    box: FaceBox
    decision: Decision
    sighting: Sighting
    first_seconds: float
    last_seconds: float


class _Person:
    """One face that is followed; it gets its number when it is announced."""

    def __init__(self, sighting: Sighting, now: float, config: DecisionConfig) -> None:
        self._config = config
        self.id: int | None = None
        self.announced: Decision | None = None
        self.stance = Stance(now)
        self.first_seconds = now
        self.seen_in_a_row = self.missed_in_a_row = 0
        self._votes = Votes(config.window_seconds)
        self._take(sighting, now)

    def see(self, sighting: Sighting, now: float, stale_seconds: float) -> None:
        if now - self.last_seconds > stale_seconds:
            self._votes = Votes(self._config.window_seconds)
            self.stance = self.stance.resumed(now)
            self.seen_in_a_row = 0
        self._take(sighting, now)

    def _take(self, sighting: Sighting, now: float) -> None:
        self.sighting, self.last_seconds = sighting, now
        self.seen_in_a_row += sighting.box.score >= SURE_FACE
        self.missed_in_a_row = 0
        mask_share = self._votes.add(mask_probability(sighting.verdict), now)
        if self.id is not None or self.seen_in_a_row >= MIN_SIGHTINGS:
            self.stance = self.stance.after(mask_share, now, self._config)

    def miss(self) -> None:
        self.missed_in_a_row += 1
        self.seen_in_a_row = 0

    def is_gone(self, now: float) -> bool:
        # Who is not announced yet needs no patience.
        is_due = self.id is None or now - self.last_seconds >= self._config.forget_seconds
        return is_due and self.missed_in_a_row >= MIN_MISSES


class Tracker:
    """Follows people from frame to frame and tells when one appears, changes or leaves.

    Someone is announced when surely seen in two looks in a row if the votes make a claim by then,
    and after `hold_seconds` if they still make none. The state is bounded, whatever comes.

    Args:
        config: When something is claimed, and when someone is forgotten.
    """

    def __init__(self, config: DecisionConfig) -> None:
        self._config = config
        self._people: list[_Person] = []
        self._announced = 0
        self._now: float | None = None
        self._gaps = deque([config.forget_seconds], maxlen=5)

    @property
    def tracks(self) -> tuple[Track, ...]:
        """Everyone who was announced and has not left, by number."""
        return tuple(
            Track(p.id, p.sighting.box, p.announced, p.sighting, p.first_seconds, p.last_seconds)
            for p in self._people
            if p.id is not None and p.announced is not None
        )

    def update(self, sightings: Sequence[Sighting], now_seconds: float) -> list[Event]:
        """Take what one frame shows.

        After a stall, and when the clock went backwards (another video began), nobody can say
        who stands there now: everyone leaves, and the frame counts as the first one.

        Args:
            sightings: The faces, surest first; those beyond `MAX_TRACKS` are left out.
            now_seconds: When the frame was taken, in seconds.

        Returns:
            What happened: who left, who changed, who appeared, each by number.

        Raises:
            InputError: If the time is not a finite number.
        """
        events = self._leave_if_interrupted(_checked(now_seconds))
        self._follow(sightings[:MAX_TRACKS], now_seconds)
        gone = [person for person in self._people if person.is_gone(now_seconds)]
        return events + self._leave(gone, now_seconds) + self._tell(now_seconds)

    def lose_all(self, now_seconds: float) -> list[Event]:
        """End all tracks, as when the camera is lost; the next frame counts as the first one.

        Returns:
            That everyone left, by number.

        Raises:
            InputError: If the time is not a finite number.
        """
        now = _checked(now_seconds)
        return self._leave(self._people, now if self._now is None else max(now, self._now))

    def expire(self, now_seconds: float) -> list[Event]:
        """Let those leave who were not seen for `stale_seconds`, however few looks there were."""
        stale = self._config.stale_seconds
        gone = [p for p in self._people if now_seconds - p.last_seconds > stale]
        return self._leave(gone, now_seconds)

    def _leave_if_interrupted(self, now: float) -> list[Event]:
        last, self._now = self._now, now
        if last is None:
            return []
        if now < last:
            return self._leave(self._people, last)
        is_stall = now - last > max(self._config.forget_seconds, STALL_GAPS * median(self._gaps))
        self._gaps.append(now - last)
        return self._leave(self._people, now) if is_stall else []

    def _follow(self, sightings: Sequence[Sighting], now: float) -> None:
        before = [(person.sighting.box, now - person.last_seconds) for person in self._people]
        boxes = [sighting.box for sighting in sightings]
        pairs = pair_up(candidates(before, boxes, self._config.min_iou))
        stale_seconds = max(self._config.window_seconds, STALL_GAPS * median(self._gaps))
        for row, person in enumerate(self._people):
            if row in pairs:
                person.see(sightings[pairs[row]], now, stale_seconds)
            else:
                person.miss()
        known = {*pairs.values()}
        new = [
            sighting
            for column, sighting in enumerate(sightings)
            if column not in known and sighting.box.score >= SURE_FACE
        ]
        room = MAX_TRACKS - len(self._people)
        self._people += [_Person(sighting, now, self._config) for sighting in new[:room]]

    def _tell(self, now: float) -> list[Event]:
        events = []
        for person in self._people:
            before, person.announced = person.announced, person.stance.told
            if person.announced is before:
                continue
            if person.id is not None:
                events.append(
                    Event(EventKind.CHANGED, now, person.id, person.announced, before=before)
                )
            else:
                self._announced += 1
                person.id = self._announced
                events.append(Event(EventKind.APPEARED, now, person.id, person.announced))
        # By number, the unannounced last, as everything is told in this order.
        self._people.sort(key=lambda person: person.id or math.inf)
        return events

    def _leave(self, gone: Sequence[_Person], at: float) -> list[Event]:
        self._people = [person for person in self._people if person not in gone]
        return [
            Event(EventKind.LEFT, at, p.id, p.announced, seconds=p.last_seconds - p.first_seconds)
            for p in gone
            if p.id is not None
        ]


def _checked(now_seconds: float) -> float:
    if not math.isfinite(now_seconds):
        raise InputError(f"the time of a frame must be a finite number; received {now_seconds}")
    return now_seconds
