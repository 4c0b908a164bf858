"""From a frame to sightings, with a hand-written finder and the tiny model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.classifier import MaskClassifier
from maskwatch_edge.config import Thresholds
from maskwatch_edge.contract import WITH_MASK, WITHOUT_MASK
from maskwatch_edge.frame import Frame, Pixels
from maskwatch_edge.pipeline import Watcher
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
