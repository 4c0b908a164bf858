"""What an MQTT broker is told of views, and that it is as the schemas say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwatch_edge import mqtt
from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.cameras.state import CameraState
from maskwatch_edge.contract import WITH_MASK
from maskwatch_edge.events import Event, EventKind
from maskwatch_edge.mqtt.backlog import Backlog
from maskwatch_edge.mqtt.reporter import STATE_SECONDS, STATISTICS_SECONDS, Report, Reporter
from maskwatch_edge.tracks import Track
from maskwatch_edge.verdict import Decision, Sighting, Verdict
from maskwatch_edge.view import View

SCHEMAS = Path(mqtt.__file__).parent / "schemas"
APPEARED = Event(EventKind.APPEARED, 1.5, 1, Decision.NO_MASK)
EVENTS = [
    APPEARED,
    Event(EventKind.CHANGED, 4.0, 1, Decision.MASK, before=Decision.NO_MASK),
    Event(EventKind.LEFT, 9.0, 1, Decision.UNSURE, seconds=7.0),
    *(Event(EventKind.CAMERA, 9.5, camera=state.value) for state in CameraState),
]
decisions = st.sampled_from(Decision)


def track(number: int, decision: Decision) -> Track:
    box = FaceBox(0, 0, 10, 10, 1.0)
    return Track(number, box, decision, Sighting(box, Verdict(WITH_MASK, 0.9), decision), 0.0, 1.0)


def view(
    seconds: float,
    *events: Event,
    people: tuple[Decision, ...] = (),
    camera: CameraState = CameraState.SEEING,
) -> View:
    tracks = tuple(track(number, decision) for number, decision in enumerate(people, 1))
    return View(None, (), tracks, events, camera, 12.34, seconds)


@pytest.fixture
def reporter() -> Reporter:
    return new_reporter()


def new_reporter() -> Reporter:
    return Reporter("0badcafe", lambda: datetime(2031, 5, 1, 12, tzinfo=UTC))


def report(reporter: Reporter, seen: View) -> Report:
    made = reporter.report(seen)
    assert made is not None
    return made


def test_an_event_says_when_it_was_and_in_which_run(reporter: Reporter) -> None:
    made = report(reporter, view(1.5, APPEARED))
    (entry,) = made.entries
    assert entry.is_event
    assert entry.body == {
        "schema": 1,
        "run": "0badcafe",
        "time": "2031-05-01T12:00:00.000+00:00",
        "kind": "appeared",
        "time_seconds": 1.5,
        "track": 1,
        "decision": "no_mask",
    }


def test_the_state_counts_people_by_what_is_said_of_them(reporter: Reporter) -> None:
    people = (Decision.MASK, Decision.NO_MASK, Decision.MASK)
    assert report(reporter, view(0.0, people=people)).state == {
        "schema": 1,
        "run": "0badcafe",
        "time": "2031-05-01T12:00:00.000+00:00",
        "camera": "seeing",
        "people": {"mask": 2, "no_mask": 1, "unsure": 0, "all": 3},
    }


def test_the_state_is_told_when_it_changes_but_not_too_often(reporter: Reporter) -> None:
    told = []
    for turn in range(40):
        # Somebody comes and goes at every turn, and stays at last.
        people = (Decision.MASK,) if turn % 2 == 1 or turn > 20 else ()
        made = reporter.report(view(turn * STATE_SECONDS / 8, people=people))
        if made is not None and made.state is not None:
            told.append((turn, made.state["people"]["all"]))
    assert told == [(0, 0), (9, 1), (18, 0), (26, 1)]


def test_nothing_new_is_no_report(reporter: Reporter) -> None:
    assert reporter.report(view(0.0)) is not None
    assert reporter.report(view(0.1)) is None
    assert reporter.report(view(30.0)) is None


def test_statistics_come_once_a_minute_and_hold_totals(reporter: Reporter) -> None:
    bodies = []
    for second in range(601):
        made = reporter.report(view(1000.0 + second, *EVENTS[: second % 2 * 2]))
        entries = () if made is None else made.entries
        bodies += [dict(entry.body) for entry in entries if not entry.is_event]
    assert len(bodies) == 600 / STATISTICS_SECONDS
    last = bodies[-1]
    assert (last["seconds"], last["frames_per_second"]) == (600.0, 12.3)
    assert (last["appeared"], last["events"]) == (300, 600)


# --- the schemas


@cache
def validator_of(name: str) -> Any:
    jsonschema = pytest.importorskip("jsonschema", reason="needs jsonschema to read schemas")
    schema = json.loads((SCHEMAS / f"{name}-1.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def problems(name: str, body: Mapping[str, Any]) -> list[str]:
    return [error.message for error in validator_of(name).iter_errors(dict(body))]


@given(
    st.lists(st.sampled_from(EVENTS), max_size=5),
    st.lists(decisions, max_size=5).map(tuple),
    st.sampled_from(CameraState),
    st.floats(0, 1e9),
)
def test_everything_is_as_the_schemas_say(
    events: list[Event], people: tuple[Decision, ...], camera: CameraState, seconds: float
) -> None:
    reporter = new_reporter()
    reporter.report(view(0.0))
    made = report(reporter, view(STATISTICS_SECONDS + seconds, *events, people=people))
    with Backlog(Path("/dev/null/none"), "door-0badcafe", 1000, lambda line: None) as backlog:
        backlog.add(made.entries)
        for waiting in backlog.after(0, 1000):
            name = "event" if waiting.is_event else "statistics"
            assert problems(name, json.loads(waiting.payload)) == []
    if made.state is not None:
        assert problems("state", made.state) == []


EVENT = {
    "id": "door-0badcafe-7",
    "sequence": 7,
    "schema": 1,
    "run": "0badcafe",
    "time": "2031-05-01T12:00:00.000+00:00",
    **APPEARED.to_dict(),
}
WRONG = [
    EVENT | {"schema": 2},
    EVENT | {"kind": "arrived"},
    EVENT | {"camera": "lost"},  # belongs to the kind "camera"
    EVENT | {"picture": ""},
    EVENT | {"id": "7"},
    EVENT | {"time": "yesterday"},
    {name: value for name, value in EVENT.items() if name != "decision"},
]


@pytest.mark.parametrize("body", WRONG)
def test_the_schema_of_events_refuses_what_is_none(body: dict[str, Any]) -> None:
    assert problems("event", EVENT) == []
    assert problems("event", body)


def test_all_schemas_are_versioned_and_say_what_each_value_is() -> None:
    paths = sorted(SCHEMAS.glob("*.json"))
    assert [path.name for path in paths] == ["event-1.json", "state-1.json", "statistics-1.json"]
    for path in paths:
        schema = json.loads(path.read_text())
        assert schema["properties"]["schema"]["const"] == 1
        for name, rule in schema["properties"].items():
            assert rule.get("description"), (path.name, name)


def test_the_time_is_asked_for_each_message() -> None:
    times = iter(datetime(2031, 1, 1, tzinfo=UTC) + timedelta(seconds=n) for n in range(9))
    made = report(Reporter("1", lambda: next(times)), view(0.0, APPEARED, APPEARED))
    assert [entry.body["time"][-11:-6] for entry in made.entries] == ["0.000", "1.000"]
