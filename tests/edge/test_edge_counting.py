"""What is counted for the statistics: each person once, and the time that the camera saw."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwatch_edge.cameras.state import CameraState
from maskwatch_edge.events import Event, EventKind
from maskwatch_edge.statistics.counting import LONGEST_TURN_SECONDS, Counts, Tally
from maskwatch_edge.verdict import Decision
from maskwatch_edge.view import View

MASK, BARE, UNSURE = Decision.MASK, Decision.NO_MASK, Decision.UNSURE


def view(*events: Event, at: float = 0.0, camera: CameraState = CameraState.SEEING) -> View:
    return View(None, (), (), events, camera, 0.0, at)


def life(track: int, *told: Decision, leaves: bool = True) -> list[Event]:
    """Give the events of one person, of whom this is told one after the other."""
    events = [Event(EventKind.APPEARED, 0.0, track, told[0])]
    for before, now in pairwise(told):
        events.append(Event(EventKind.CHANGED, 0.0, track, now, before=before))
    if leaves:
        events.append(Event(EventKind.LEFT, 0.0, track, told[-1], seconds=1.0))
    return events


CASES = [
    ((MASK,), Counts(mask=1)),
    ((BARE,), Counts(no_mask=1)),
    ((UNSURE,), Counts(unsure=1)),
    ((UNSURE, MASK), Counts(mask=1)),  # the doubt at the door is not a person of its own
    ((MASK, UNSURE), Counts(mask=1)),
    ((BARE, MASK), Counts(no_mask=1, put_on=1)),
    ((MASK, BARE), Counts(mask=1, taken_off=1)),
    ((MASK, UNSURE, MASK), Counts(mask=1)),
    ((BARE, UNSURE, MASK, BARE), Counts(no_mask=1, put_on=1, taken_off=1)),
]


@pytest.mark.parametrize(("told", "expected"), CASES)
def test_a_person_counts_once_by_the_first_claim(
    told: tuple[Decision, ...], expected: Counts
) -> None:
    tally = Tally()
    counts = Counts()
    for event in life(1, *told):
        counts += tally.take(view(event))
    assert counts + tally.end() == expected


def test_who_is_still_there_at_the_end_is_counted_too() -> None:
    tally = Tally()
    events = [*life(1, UNSURE, leaves=False), *life(2, MASK, leaves=False)]
    assert tally.take(view(*events)) == Counts(mask=1)
    assert tally.end() == Counts(unsure=1)
    assert tally.end() == Counts(), "twice is once"


@dataclass
class Crowd:
    """What was told of everybody, in an order that could have been."""

    events: list[Event] = field(default_factory=list)
    people: int = 0
    flips: int = 0


told_of_one = st.lists(st.sampled_from(list(Decision)), min_size=1, max_size=6).map(
    lambda told: [d for d, before in zip(told, [None, *told], strict=False) if d is not before]
)


@st.composite
def crowds(draw: st.DrawFn) -> Crowd:
    crowd, lives = Crowd(), []
    for track, told in enumerate(draw(st.lists(told_of_one, max_size=6)), 1):
        claims = [decision for decision in told if decision is not UNSURE]
        crowd.flips += sum(a is not b for a, b in pairwise(claims))
        crowd.people += 1
        lives.append(life(track, *told, leaves=draw(st.booleans())))
    while lives := [events for events in lives if events]:
        crowd.events.append(draw(st.sampled_from(lives)).pop(0))
    return crowd


@given(crowds(), st.data())
def test_the_sum_over_all_views_is_what_was_told(crowd: Crowd, data: st.DataObject) -> None:
    tally, counts, rest = Tally(), Counts(), crowd.events
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        counts, rest = counts + tally.take(view(*rest[:size])), rest[size:]
    counts += tally.end()
    assert counts.people == crowd.people
    assert counts.put_on + counts.taken_off == crowd.flips
    assert abs(counts.put_on - counts.taken_off) <= crowd.people
    assert min(counts.mask, counts.no_mask, counts.unsure, counts.put_on, counts.taken_off) >= 0


TIMES = [
    ([(0.0, CameraState.SEEING), (0.5, CameraState.SEEING)], Counts(seen_seconds=0.5)),
    ([(0.0, CameraState.LOST), (0.5, CameraState.SEEING)], Counts(away_seconds=0.5)),
    ([(0.0, CameraState.WAITING), (0.5, CameraState.WAITING)], Counts(away_seconds=0.5)),
    ([(0.0, CameraState.ENDED), (0.5, CameraState.ENDED)], Counts()),
    ([(9.0, CameraState.SEEING)], Counts()),
    # Nobody watched while the loop hung.
    ([(0.0, CameraState.SEEING), (LONGEST_TURN_SECONDS + 1, CameraState.SEEING)], Counts()),
]


@pytest.mark.parametrize(("moments", "expected"), TIMES)
def test_time_counts_as_the_camera_was_in_it(
    moments: list[tuple[float, CameraState]], expected: Counts
) -> None:
    tally, counts = Tally(), Counts()
    for at, camera in moments:
        counts += tally.take(view(at=at, camera=camera))
    assert counts == expected


def test_sums_have_every_part() -> None:
    ones = Counts(1, 1, 1, 1, 1, 1.0, 1.0)
    assert ones + ones == Counts(2, 2, 2, 2, 2, 2.0, 2.0)
    assert replace(ones, put_on=5).people == 3


@given(
    st.builds(
        Counts,
        *[st.integers(0, 9)] * 5,
        *[st.floats(0.0, LONGEST_TURN_SECONDS)] * 2,
    ),
    st.floats(0.0, 60.0),
)
def test_what_is_split_at_a_minute_is_still_all_there(counts: Counts, second: float) -> None:
    before, after = counts.split(second)
    assert (before + after).seen_seconds == pytest.approx(counts.seen_seconds)
    assert (before + after).away_seconds == pytest.approx(counts.away_seconds)
    assert max(after.seen_seconds, after.away_seconds) <= second
    assert min(before.seen_seconds, before.away_seconds) >= 0.0
    assert timeless(before) == Counts()
    assert timeless(after) == timeless(counts)


def timeless(counts: Counts) -> Counts:
    return replace(counts, seen_seconds=0.0, away_seconds=0.0)
