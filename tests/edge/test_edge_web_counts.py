"""People of a day, counted from what the tracker tells."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from maskwatch_edge.events import Event, EventKind
from maskwatch_edge.verdict import Decision
from maskwatch_edge.web.counts import DayCounts

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Clock:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def appeared(track: int, decision: Decision) -> Event:
    return Event(EventKind.APPEARED, 0.0, track, decision)


def changed(track: int, before: Decision, now: Decision) -> Event:
    return Event(EventKind.CHANGED, 0.0, track, now, before=before)


def left(track: int, decision: Decision) -> Event:
    return Event(EventKind.LEFT, 0.0, track, decision, seconds=1.0)


def people(counts: DayCounts) -> tuple[int, int, int]:
    told = counts.today().people
    return told[Decision.MASK], told[Decision.NO_MASK], told[Decision.UNSURE]


def test_a_person_counts_once_by_what_was_said_last() -> None:
    counts = DayCounts(Clock(NOON))
    assert counts.today().since == NOON
    counts.add([appeared(1, Decision.UNSURE), appeared(2, Decision.MASK)])
    counts.add([changed(1, Decision.UNSURE, Decision.NO_MASK)])
    counts.add([Event(EventKind.CAMERA, 0.0, camera="lost"), left(1, Decision.NO_MASK)])
    assert people(counts) == (1, 1, 0)


def test_a_day_begins_at_midnight_even_if_nobody_comes() -> None:
    clock = Clock(NOON)
    counts = DayCounts(clock)
    counts.add([appeared(1, Decision.MASK)])
    clock.now = NOON + timedelta(hours=14)
    assert people(counts) == (0, 0, 0)
    assert counts.today().since == datetime(2026, 3, 2, tzinfo=UTC)


def test_who_came_yesterday_and_changes_today_counts_for_yesterday() -> None:
    clock = Clock(NOON)
    counts = DayCounts(clock)
    counts.add([appeared(1, Decision.MASK)])
    clock.now = NOON + timedelta(days=1)
    counts.add([changed(1, Decision.MASK, Decision.NO_MASK), left(1, Decision.NO_MASK)])
    assert people(counts) == (0, 0, 0)


@given(st.lists(st.tuples(st.integers(1, 5), st.sampled_from(Decision), st.integers(0, 20))))
def test_counts_are_those_of_the_people_who_appeared_today(
    steps: list[tuple[int, Decision, int]],
) -> None:
    clock = Clock(NOON)
    counts = DayCounts(clock)
    here: dict[int, Decision] = {}
    days: dict[int, datetime] = {}
    said: Counter[Decision] = Counter()
    for track, decision, hours in steps:
        before = clock.now
        clock.now += timedelta(hours=hours)
        if clock.now.date() != before.date():
            said.clear()
        if track not in here:
            counts.add([appeared(track, decision)])
            said[decision] += 1
            here[track], days[track] = decision, clock.now
        elif here[track] is decision:
            counts.add([left(track, here.pop(track))])
        else:
            counts.add([changed(track, here[track], decision)])
            if days[track].date() == clock.now.date():
                said[here[track]] -= 1
                said[decision] += 1
            here[track] = decision
    assert counts.today().people == {decision: said[decision] for decision in Decision}
