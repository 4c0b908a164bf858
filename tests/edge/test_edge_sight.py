"""What is known of the people before the camera, while looking fails or takes too long."""

from __future__ import annotations

from math import inf
from pathlib import Path

import cv2
import numpy as np
import pytest

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.classifier import MaskClassifier
from maskwatch_edge.config import DecisionConfig, Thresholds
from maskwatch_edge.errors import LookError
from maskwatch_edge.events import EventKind
from maskwatch_edge.faults import Fault, Notice
from maskwatch_edge.frame import Frame, Pixels
from maskwatch_edge.pipeline import StreamWatcher
from maskwatch_edge.sight import GIVE_UP_SECONDS, LONGEST_SECONDS, NOTHING, Sight
from maskwatch_edge.verdict import Decision

DECISION = DecisionConfig(forget_seconds=60.0, stale_seconds=10.0)
PINK = np.full((96, 96, 3), (200, 60, 200), dtype=np.uint8)


class Finder:
    """Finds a face in the middle, and counts how often it is asked; or breaks."""

    def __init__(self) -> None:
        self.asked = 0
        self.error: Exception | None = None
        self.boxes = [FaceBox(20, 20, 70, 70, 0.9)]

    def find(self, pixels: Pixels) -> list[FaceBox]:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return self.boxes


class Desk:
    """A sight, and what it looks with."""

    def __init__(self, model: Path) -> None:
        self.finder, self.notices = Finder(), list[Notice]()
        watcher = StreamWatcher(
            self.finder, MaskClassifier(model), Thresholds(), look_seconds=0, still_seconds=0
        )
        self.sight = Sight(watcher, DECISION, self.notices.append)

    def see(self, *times: float) -> list[EventKind]:
        told = []
        for seconds in times:
            frame = Frame(PINK, 0, seconds, "fake")
            told += self.sight.see(frame, seconds) + self.sight.expire(seconds)
        return [event.kind for event in told]


@pytest.fixture
def desk(tiny_model: Path) -> Desk:
    desk = Desk(tiny_model)
    assert desk.see(100.0, 100.1, 100.2) == [EventKind.APPEARED]
    assert [track.decision for track in desk.sight.tracks] == [Decision.NO_MASK]
    return desk


@pytest.mark.parametrize(
    "error", [cv2.error("resize.cpp"), RuntimeError("invoke"), MemoryError(), ValueError("shape")]
)
def test_a_look_that_fails_takes_everything_back_and_is_told_once(
    desk: Desk, error: Exception
) -> None:
    desk.finder.error = error
    assert desk.see(101.0) == [EventKind.LEFT]
    assert (desk.sight.tracks, desk.sight.look) == ((), NOTHING)
    assert desk.sight.age_seconds(101.0) == inf
    assert desk.see(*np.arange(102.0, 110.0, 0.1)) == []
    (notice,) = desk.notices
    assert notice.fault is Fault.LOOK_FAILED
    assert notice.message.startswith(
        f"cannot look for faces: {type(error).__name__} in test_edge_sight.py, line "
    )


def test_it_is_looked_again_after_longer_and_longer_waits_and_told_when_it_works(
    desk: Desk,
) -> None:
    desk.finder.error, asked = RuntimeError(), desk.finder.asked
    desk.see(*np.arange(101.0, 131.0, 0.1))
    assert desk.finder.asked - asked == 6  # after 0, 0.5, 1.5, 3.5, 7.5 and 15.5 seconds
    desk.finder.error = None
    assert desk.see(*np.arange(131.0, 200.0, 0.1)) == [EventKind.APPEARED]
    assert desk.notices[1:] == [
        Fault.LOOK_FAILED.ended("faces are looked for again; 6 looks had failed")
    ]


def test_looks_that_fail_now_and_then_are_one_fault(desk: Desk) -> None:
    for number, seconds in enumerate(np.arange(101.0, 101.0 + GIVE_UP_SECONDS, 0.1)):
        desk.finder.error = RuntimeError() if number % 2 else None
        desk.see(seconds)
    assert len(desk.notices) == 1


def test_looks_that_fail_for_long_end_the_program(desk: Desk) -> None:
    desk.finder.error = RuntimeError("the interpreter is broken")
    last_seconds = 101.0 + GIVE_UP_SECONDS + 2 * LONGEST_SECONDS
    with pytest.raises(LookError, match=r"failed \d times in .* the interpreter is broken"):
        desk.see(*np.arange(101.0, last_seconds, 0.5))


def test_without_looks_everything_is_taken_back_once_it_is_too_old(desk: Desk) -> None:
    assert desk.sight.expire(110.1) == []
    assert desk.sight.age_seconds(110.1) == pytest.approx(9.9)
    assert [event.kind for event in desk.sight.expire(110.3)] == [EventKind.LEFT]
    assert (desk.sight.tracks, desk.sight.look) == ((), NOTHING)


def test_who_is_out_of_sight_for_too_long_is_gone_whatever_is_configured(desk: Desk) -> None:
    desk.finder.boxes = []
    assert desk.see(*np.arange(101.0, 110.1, 1.0)) == []
    assert desk.sight.age_seconds(110.0) == pytest.approx(9.8)
    assert desk.see(110.3) == [EventKind.LEFT]
    assert desk.sight.age_seconds(110.3) == 0.0


def test_what_a_look_tells_that_takes_too_long_is_not_said(desk: Desk) -> None:
    desk.sight.see(Frame(PINK, 0, 101.0, "fake"), 101.0)
    assert desk.sight.look.sightings
    desk.sight.expire(112.0)
    assert (desk.sight.tracks, desk.sight.look) == ((), NOTHING)
