"""What `maskwatch run` prints for what happens."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import pytest

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.cameras.state import CameraState
from maskwatch_edge.events import Event, EventKind
from maskwatch_edge.frame import Frame
from maskwatch_edge.lines import JsonEvents, JsonFrames, TextEvents, open_lines
from maskwatch_edge.verdict import Decision, Sighting, Verdict
from maskwatch_edge.view import View

APPEARED = Event(EventKind.APPEARED, 1.0, 3, Decision.NO_MASK)
CHANGED = Event(EventKind.CHANGED, 2.0, 3, Decision.MASK, before=Decision.NO_MASK)
LEFT = Event(EventKind.LEFT, 9.0, 3, Decision.MASK, seconds=7.96)
LOST = Event(EventKind.CAMERA, 9.5, camera=CameraState.LOST.value)
SEEING = Event(EventKind.CAMERA, 9.9, camera=CameraState.SEEING.value)

FRAME = Frame(np.zeros((48, 64, 3), np.uint8), 7, 1.0, "clip.mp4", 25.0)
FACE = Sighting(FaceBox(1, 2, 21, 32, 0.9), Verdict("with_mask", 0.97), Decision.MASK)


def view(*events: Event, frame: Frame | None = None) -> View:
    sightings = () if frame is None else (FACE,)
    return View(frame, sightings, (), events, CameraState.SEEING, 0.0, 0.0)


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (APPEARED, "person 3 appeared: no mask"),
        (CHANGED, "person 3 changed: mask, was no mask"),
        (LEFT, "person 3 left: mask, seen for 8.0 s"),
        (LOST, "camera lost"),
        (SEEING, "camera seeing"),
    ],
)
def test_an_event_is_told_in_words(
    event: Event, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    TextEvents().show(view(event))
    assert capsys.readouterr().out == line + "\n"


def test_a_view_in_which_nothing_happened_prints_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for lines in (TextEvents(), JsonEvents()):
        lines.show(view(frame=FRAME))
    assert capsys.readouterr().out == ""


def test_events_are_json_objects_that_can_be_read_back(capsys: pytest.CaptureFixture[str]) -> None:
    noon = datetime(2026, 3, 1, 12, 0, 0, 250_000, UTC)
    events = (APPEARED, CHANGED, LEFT, LOST)
    JsonEvents(lambda: noon).show(view(*events))
    objects = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {each.pop("time") for each in objects} == {"2026-03-01T12:00:00.250+00:00"}
    assert [Event.from_dict(each) for each in objects] == list(events)


def test_frames_are_json_objects_with_every_face(capsys: pytest.CaptureFixture[str]) -> None:
    lines = JsonFrames()
    lines.show(view(LOST))
    lines.show(view(frame=FRAME))
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line) == {
        "source": "clip.mp4",
        "frame": 7,
        "width": 64,
        "height": 48,
        "faces": [
            {
                "box": [1, 2, 21, 32],
                "label": "with_mask",
                "score": 0.97,
                "face_score": 0.9,
                "verdict": "mask",
            }
        ],
    }


@pytest.mark.parametrize(
    ("kind", "count"), [("text", 1), ("events", 1), ("frames", 1), ("none", 0)]
)
def test_the_configuration_names_what_is_printed(
    kind: str, count: int, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = open_lines(kind)
    lines.show(view(APPEARED, frame=FRAME))
    lines.close()
    assert len(capsys.readouterr().out.splitlines()) == count
