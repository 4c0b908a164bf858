"""How many people were seen today, by what was last said of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from maskwatch_edge.events import Event, EventKind
from maskwatch_edge.verdict import Decision


def local_time() -> datetime:
    """Return the time of day where the board is."""
    return datetime.now().astimezone()


@dataclass(frozen=True)
class Today:
    """The people of one day.

    Attributes:
        since: When counting began: midnight, or later if the program was started later.
        people: How many, by what was last said of them.
    """

    since: datetime
    people: dict[Decision, int]


class DayCounts:
    """Counts people from midnight on; what was counted is gone with the program.

    Args:
        clock: The time of day where the board is.
    """

    def __init__(self, clock: Callable[[], datetime] = local_time) -> None:
        self._clock = clock
        self._begin(clock())

    def add(self, events: Iterable[Event]) -> None:
        """Count what happened just now."""
        self._turn_over()
        for event in events:
            if event.track is None or event.decision is None:
                continue
            if event.kind is EventKind.APPEARED:
                self._move(event.track, None, event.decision)
            elif event.kind is EventKind.CHANGED and event.track in self._here:
                self._move(event.track, event.before, event.decision)
            elif event.kind is EventKind.LEFT:
                self._here.discard(event.track)

    def today(self) -> Today:
        """Return the counts."""
        self._turn_over()
        return Today(self._since, {decision: self._people[decision] for decision in Decision})

    def _move(self, track: int, before: Decision | None, now: Decision) -> None:
        self._here.add(track)
        self._people[now] += 1
        if before is not None:
            self._people[before] -= 1

    def _turn_over(self) -> None:
        now = self._clock()
        if now.date() != self._since.date():
            self._begin(now.replace(hour=0, minute=0, second=0, microsecond=0))

    def _begin(self, since: datetime) -> None:
        self._since = since
        self._people: Counter[Decision] = Counter()
        # Who is counted today and still here: of others a change is no news of this day.
        self._here: set[int] = set()
