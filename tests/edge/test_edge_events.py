"""What an event carries, and its way to plain data and back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwatch_edge.errors import InputError
from maskwatch_edge.events import Event, EventKind
from maskwatch_edge.verdict import Decision

EVENTS = [
    (
        Event(EventKind.APPEARED, 1.5, 1, Decision.NO_MASK),
        {"kind": "appeared", "time_seconds": 1.5, "track": 1, "decision": "no_mask"},
    ),
    (
        Event(EventKind.CHANGED, 4.0, 1, Decision.MASK, before=Decision.NO_MASK),
        {
            "kind": "changed",
            "time_seconds": 4.0,
            "track": 1,
            "decision": "mask",
            "before": "no_mask",
        },
    ),
    (
        Event(EventKind.LEFT, 9.0, 1, Decision.MASK, seconds=7.0),
        {"kind": "left", "time_seconds": 9.0, "track": 1, "decision": "mask", "seconds": 7.0},
    ),
    (
        Event(EventKind.CAMERA, 9.5, camera="lost"),
        {"kind": "camera", "time_seconds": 9.5, "camera": "lost"},
    ),
]
APPEARED: dict[str, Any] = dict(EVENTS[0][1])
CHANGED: dict[str, Any] = dict(EVENTS[1][1])
LEFT: dict[str, Any] = dict(EVENTS[2][1])

times = st.floats(allow_nan=False, allow_infinity=False)
numbers = st.integers(min_value=1)
decisions = st.sampled_from(Decision)
events = st.one_of(
    st.builds(Event, st.just(EventKind.APPEARED), times, numbers, decisions),
    st.builds(Event, st.just(EventKind.CHANGED), times, numbers, decisions, decisions),
    st.builds(
        Event, st.just(EventKind.LEFT), times, numbers, decisions,
        seconds=st.floats(min_value=0, allow_infinity=False),
    ),
    st.builds(Event, st.just(EventKind.CAMERA), times, camera=st.text()),
)  # fmt: skip


@pytest.mark.parametrize(("event", "data"), EVENTS)
def test_an_event_as_data_says_what_its_kind_carries(event: Event, data: dict[str, Any]) -> None:
    assert event.to_dict() == data
    assert {type(value) for value in event.to_dict().values()} <= {str, int, float}


@given(events)
def test_an_event_survives_the_way_through_json(event: Event) -> None:
    assert Event.from_dict(json.loads(json.dumps(event.to_dict()))) == event


@pytest.mark.parametrize(
    "data",
    [
        {},
        None,
        "appeared",
        [1, 2],
        {"time_seconds": 1.0},  # no kind
        APPEARED | {"kind": "arrived"},
        APPEARED | {"kind": ["appeared"]},
        {"kind": "camera", "camera": "lost"},  # no time
        {"kind": "appeared", "time_seconds": 1.0, "decision": "mask"},  # nobody
        {"kind": "appeared", "time_seconds": 1.0, "track": 1},  # nothing said
        APPEARED | {"face": 1},  # unknown
        APPEARED | {"before": "mask"},  # belongs to CHANGED
        APPEARED | {"camera": "lost"},
        APPEARED | {"decision": "masked"},
        APPEARED | {"decision": 1},
        APPEARED | {"track": 0},
        APPEARED | {"track": "1"},
        APPEARED | {"track": True},
        APPEARED | {"time_seconds": "1.5"},
        APPEARED | {"time_seconds": True},
        APPEARED | {"time_seconds": float("nan")},
        APPEARED | {"time_seconds": 10**400},
        CHANGED | {"before": None},
        LEFT | {"seconds": -1.0},
        LEFT | {"seconds": float("inf")},
        {"kind": "camera", "time_seconds": 1.0, "camera": 3},
    ],
)
def test_data_that_is_not_an_event_is_refused(data: Any) -> None:
    with pytest.raises(InputError, match="expected an event; received"):
        Event.from_dict(data)


def test_an_event_that_lacks_something_is_told_what() -> None:
    with pytest.raises(ValueError, match=r"left carries decision, kind, seconds, time_seconds, tr"):
        Event(EventKind.LEFT, 9.0, 1, Decision.MASK)


def test_the_data_given_is_left_as_it_is() -> None:
    data = dict(CHANGED)
    Event.from_dict(data)
    assert data == CHANGED
