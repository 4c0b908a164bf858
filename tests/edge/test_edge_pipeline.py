"""From a frame to sightings, and from a stream to looks, with a hand-written finder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.classifier import MaskClassifier
from maskwatch_edge.config import Thresholds
from maskwatch_edge.contract import WITH_MASK, WITHOUT_MASK
from maskwatch_edge.frame import Frame, Pixels
from maskwatch_edge.pipeline import Look, StreamWatcher, Watcher
from maskwatch_edge.recall import RECALL_SECONDS
from maskwatch_edge.verdict import Decision, Sighting

GREEN_FACE = FaceBox(20, 20, 60, 60, score=0.9)
RED_FACE = FaceBox(100, 20, 140, 60, score=0.6)
PALE_FACE = FaceBox(180, 20, 220, 60, score=0.3)
FACES = [GREEN_FACE, RED_FACE, PALE_FACE]


class FixedFinder:
    """Finds the faces that it was given, in whatever frame."""

    def __init__(self, boxes: list[FaceBox]) -> None:
        self._boxes = boxes

    def find(self, pixels: Pixels) -> list[FaceBox]:
        return list(self._boxes)


@pytest.fixture
def frame() -> Frame:
    """Paint a green, a red and a faintly green face."""
    pixels = np.full((80, 240, 3), 128, dtype=np.uint8)
    pixels[:, :80] = (100, 160, 100)
    pixels[:, 80:160] = (160, 100, 100)
    pixels[:, 160:] = (120, 130, 120)
    return Frame(pixels, 0, 0.0, "painted.png")


def look(
    model: Path, frame: Frame, boxes: list[FaceBox], min_face_score: float, min_score: float
) -> list[Sighting]:
    thresholds = Thresholds(min_face_score, min_score)
    return Watcher(FixedFinder(boxes), MaskClassifier(model), thresholds).look(frame)


def test_every_face_gets_its_verdict_in_the_order_of_the_finder(
    tiny_model: Path, frame: Frame
) -> None:
    for boxes in (FACES, FACES[::-1]):
        sightings = look(tiny_model, frame, boxes, 0.0, 0.5)
        assert [sighting.box for sighting in sightings] == boxes
        assert {s.box: s.verdict.label for s in sightings} == {
            GREEN_FACE: WITH_MASK,
            RED_FACE: WITHOUT_MASK,
            PALE_FACE: WITH_MASK,
        }


@pytest.mark.parametrize(
    ("min_score", "decisions"),
    [
        (0.0, [Decision.MASK, Decision.NO_MASK, Decision.MASK]),
        (0.8, [Decision.MASK, Decision.NO_MASK, Decision.UNSURE]),  # the default
        (1.0, [Decision.UNSURE, Decision.UNSURE, Decision.UNSURE]),
    ],
)
def test_a_face_below_the_score_is_unsure_and_never_hidden(
    tiny_model: Path, frame: Frame, min_score: float, decisions: list[Decision]
) -> None:
    sightings = look(tiny_model, frame, FACES, 0.0, min_score)
    assert [sighting.decision for sighting in sightings] == decisions
    labels = [sighting.verdict.label for sighting in sightings]
    assert labels == [WITH_MASK, WITHOUT_MASK, WITH_MASK]


@pytest.mark.parametrize(
    ("min_face_score", "expected"),
    [
        (0.0, FACES),
        (0.3, FACES),  # the threshold itself is enough
        (0.5, [GREEN_FACE, RED_FACE]),
        (0.9, [GREEN_FACE]),
        (1.0, []),
    ],
)
def test_what_the_finder_doubts_is_no_face(
    tiny_model: Path, frame: Frame, min_face_score: float, expected: list[FaceBox]
) -> None:
    sightings = look(tiny_model, frame, FACES, min_face_score, 0.8)
    assert [sighting.box for sighting in sightings] == expected


def test_an_empty_street_has_no_sightings(tiny_model: Path, frame: Frame) -> None:
    assert look(tiny_model, frame, [], 0.5, 0.8) == []


class CountingFinder(FixedFinder):
    """Counts how often it was asked."""

    count = 0

    def find(self, pixels: Pixels) -> list[FaceBox]:
        self.count += 1
        return super().find(pixels)


class Stream:
    """A watcher of a stream with its finder at hand."""

    def __init__(self, model: Path, look_seconds: float = 0.1, still_seconds: float = 2.0) -> None:
        self.finder = CountingFinder([GREEN_FACE])
        self.watcher = StreamWatcher(
            self.finder,
            MaskClassifier(model),
            Thresholds(),
            look_seconds=look_seconds,
            still_seconds=still_seconds,
        )

    def look(self, pixels: Pixels, seconds: float, source: str = "/dev/video0") -> Look:
        return self.watcher.look(Frame(pixels, 0, seconds, source))

    def finds(self, frames: Iterable[tuple[float, Pixels]]) -> list[float]:
        """Return the times of the frames in which faces were looked for."""
        times = []
        for seconds, pixels in frames:
            before = self.finder.count
            self.look(pixels, seconds)
            times += [seconds] if self.finder.count > before else []
        return times


def flickering(number: int) -> Pixels:
    """Paint a scene in which something moves from frame to frame."""
    return np.full((80, 240, 3), 60 + 20 * (number % 7), dtype=np.uint8)


def at_rate(per_second: float, count: int, *, moves: bool) -> list[tuple[float, Pixels]]:
    return [(n / per_second, flickering(n if moves else 0)) for n in range(count)]


@pytest.mark.parametrize(
    ("per_second", "look_seconds", "every"),
    [
        (30, 0.1, 3),
        (25, 0.1, 3),
        (12.5, 0.1, 2),
        (10, 0.1, 1),  # a camera no faster than the pace
        (2, 0.1, 1),
        (30, 0.0, 1),
        (30, 1.0, 30),
    ],
)
def test_faces_are_looked_for_at_a_steady_pace(
    tiny_model: Path, per_second: float, look_seconds: float, every: int
) -> None:
    frames = at_rate(per_second, 60, moves=True)
    finds = Stream(tiny_model, look_seconds).finds(frames)
    assert finds == [seconds for seconds, _ in frames[::every]]


def test_in_between_people_stay_where_they_were_seen(tiny_model: Path, frame: Frame) -> None:
    stream = Stream(tiny_model)
    first, between = stream.look(frame.pixels, 0.0), stream.look(flickering(1), 0.04)
    assert (first.is_new, between.is_new) == (True, False)
    assert first.sightings == between.sightings != ()


@pytest.mark.parametrize(("still_seconds", "most"), [(2.0, 2.1), (0.5, 0.6), (0.0, 0.1)])
def test_a_still_scene_is_looked_at_now_and_then(
    tiny_model: Path, still_seconds: float, most: float
) -> None:
    stream = Stream(tiny_model, still_seconds=still_seconds)
    finds = stream.finds(at_rate(30, 300, moves=False))
    assert np.diff(finds).max() <= most + 1e-9
    assert len(finds) <= 10 / max(still_seconds, 0.1) + 1


def test_what_does_not_move_counts_as_looked_at(tiny_model: Path) -> None:
    stream = Stream(tiny_model)
    looks = [stream.look(pixels, seconds) for seconds, pixels in at_rate(10, 10, moves=False)]
    assert all(look.is_new for look in looks)
    assert stream.finder.count == 1


def test_motion_is_seen_within_a_look(tiny_model: Path) -> None:
    stream = Stream(tiny_model)
    still = at_rate(30, 45, moves=False)
    moving = [(45 / 30 + n / 30, flickering(1)) for n in range(6)]
    finds = stream.finds(still + moving)
    assert finds[-1] - moving[0][0] <= 0.1


def test_faces_that_stay_as_they_are_are_searched_for_twice_a_second(
    tiny_model: Path, frame: Frame
) -> None:
    frames = [(n / 10, frame.pixels.copy()) for n in range(40)]
    for n, (_, pixels) in enumerate(frames):
        pixels[:10] = 20 * (n % 10)  # something moves beside the face
    finds = Stream(tiny_model).finds(frames)
    assert finds[:3] == [0.0, 0.1, RECALL_SECONDS]
    assert np.diff(finds[2:]) == pytest.approx(RECALL_SECONDS)
    assert Stream(tiny_model, still_seconds=0.0).finds(frames) == [seconds for seconds, _ in frames]


@pytest.mark.parametrize(
    ("seconds", "source"),
    [(0.02, "/dev/video1"), (-1.0, "/dev/video0"), (0.0, "other.jpg")],
)
def test_another_source_or_another_time_is_another_story(
    tiny_model: Path, seconds: float, source: str
) -> None:
    stream = Stream(tiny_model)
    stream.look(flickering(0), 0.0)
    assert stream.look(flickering(0), seconds, source).is_new
    assert stream.finder.count == 2


def test_what_was_forgotten_is_looked_for_again(tiny_model: Path) -> None:
    stream = Stream(tiny_model)
    stream.look(flickering(0), 0.0)
    stream.watcher.forget()
    assert stream.look(flickering(0), 0.01).is_new
    assert stream.finder.count == 2
