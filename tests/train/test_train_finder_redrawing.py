"""YuNet's boxes, drawn anew as people draw theirs."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.dataset import read_faces
from maskwatch_edge.finders.codes import overlaps
from maskwatch_edge.frame import Pixels
from maskwatch_edge.pictures import read_picture
from maskwatch_train.finder.redrawing import LEAST_PAIRS, Pair, Redrawing
from maskwatch_train.finder.truths import Teacher, annotated
from maskwatch_train.landmarks import LandmarkFinder, Landmarks

Floats = npt.NDArray[np.float64]

SIZE_WH = (640, 480)
FRONT = np.array([[-0.2, -0.15], [0.2, -0.15], [0.0, 0.05], [-0.15, 0.25], [0.15, 0.25]])


def head_at(centre: tuple[float, float], size: float, turn: float) -> Landmarks:
    """A head as YuNet boxes it; `turn` moves the landmarks to a side, in sizes of the head."""
    middle = np.array(centre)
    sides = size * np.array([0.9, 1.1])
    head = np.concatenate([middle - sides / 2, middle + sides / 2])
    x1, y1, x2, y2 = np.rint(head).astype(int).tolist()
    points = middle + size * (FRONT + np.array([turn, 0.0]))
    return Landmarks(FaceBox(x1, y1, x2, y2, 0.9), head, points.astype(np.float32))


def box_of_people(face: Landmarks) -> Floats:
    """Box the front of a head: narrower by what it is turned, on the side that looks away."""
    size = float(face.head[2] - face.head[0]) / 0.9
    turn = (float(face.points[2, 0]) - (face.head[0] + face.head[2]) / 2) / size
    return face.head + size * np.array([0.1 + turn / 2, 0.2, turn / 2 - 0.1, 0.05])


def heads(count: int, seed: int = 1) -> list[Landmarks]:
    rng = np.random.default_rng(seed)
    return [
        head_at((rng.uniform(150, 490), rng.uniform(150, 330)), rng.uniform(60, 150), turn)
        for turn in rng.uniform(-0.25, 0.25, count)
    ]


def pairs(count: int) -> list[Pair]:
    return [Pair(face, box_of_people(face), SIZE_WH) for face in heads(count)]


FITTED = Redrawing.fitted(pairs(200))


def test_boxes_are_drawn_as_the_fitted_ones_were() -> None:
    for face in heads(50, seed=2):
        drawn = FITTED.draw(face, SIZE_WH)
        assert np.abs(np.array(drawn.xyxy) - box_of_people(face)).max() < 2.0
        assert drawn.score == face.box.score


@settings(deadline=None)
@given(
    x=st.integers(200, 440),
    y=st.integers(200, 280),
    size=st.integers(40, 150),
    turn=st.floats(-0.25, 0.25),
)
def test_a_head_in_a_mirror_is_boxed_as_one(x: int, y: int, size: int, turn: float) -> None:
    drawn = FITTED.draw(head_at((x, y), size, turn), SIZE_WH)
    mirrored = FITTED.draw(head_at((SIZE_WH[0] - x, y), size, -turn), SIZE_WH)
    assert abs(drawn.x1 + mirrored.x2 - SIZE_WH[0]) <= 1
    assert (drawn.y1, drawn.y2) == (mirrored.y1, mirrored.y2)


def test_too_few_faces_leave_boxes_as_they_are() -> None:
    few = Redrawing.fitted(pairs(LEAST_PAIRS - 1))
    assert all(few.draw(face, SIZE_WH) == face.box for face in heads(10))


@pytest.mark.parametrize(
    "spoiled",
    [
        Pair(head_at((300, 200), 20, 0.0), np.array([292.0, 190, 308, 211]), SIZE_WH),  # small
        Pair(head_at((40, 200), 100, 0.0), np.array([0.0, 150, 90, 250]), SIZE_WH),  # cut
    ],
)
def test_small_and_cut_faces_are_not_fitted_to(spoiled: Pair) -> None:
    with_spoiled = Redrawing.fitted(pairs(200) + [spoiled] * 500)
    for face in heads(20, seed=3):
        assert with_spoiled.draw(face, SIZE_WH) == FITTED.draw(face, SIZE_WH)


def test_landmarks_far_from_their_face_do_not_spoil_its_box() -> None:
    face = head_at((300, 200), 100, 0.0)
    astray = Landmarks(face.box, face.head, face.points + np.float32(800))
    assert FITTED.draw(astray, SIZE_WH) == face.box


def test_a_box_stays_in_its_picture() -> None:
    face = head_at((20, 200), 100, 0.0)
    drawn = FITTED.draw(face, SIZE_WH)
    assert 0 <= drawn.x1 < drawn.x2 <= SIZE_WH[0]


class YunetOf:
    """Finds these faces in every picture."""

    def __init__(self) -> None:
        self.faces: list[Landmarks] = []

    def find_all(self, pixels: Pixels) -> list[Landmarks]:
        return self.faces


def test_a_teacher_draws_as_the_frames_that_it_was_shown() -> None:
    yunet = YunetOf()
    teacher, pixels = Teacher(cast(LandmarkFinder, yunet)), np.zeros((480, 640, 3), np.uint8)
    new = head_at((320, 240), 100, 0.2)
    for face in heads(2 * LEAST_PAIRS):
        yunet.faces = [face]
        x1, y1, x2, y2 = np.rint(box_of_people(face)).astype(int).tolist()
        teacher.compare(pixels, annotated([FaceBox(x1, y1, x2, y2)]))
    yunet.faces = [new]
    before = teacher.teach(pixels)
    teacher.learn_to_draw()
    after = teacher.teach(pixels)
    assert before is not None
    assert after is not None
    assert before.boxes[0].tolist() == list(new.box.xyxy)
    assert np.abs(after.boxes[0] - box_of_people(new)).max() < 2.0


def test_boxes_of_real_faces_come_closer_to_those_of_people(shared: Path) -> None:
    """Fitted to two thirds of the annotated frames, and judged on the others."""
    yunet = LandmarkFinder(shared / "weights" / "face_detection_yunet_2023mar.onnx")
    by_path: dict[Path, list[FaceBox]] = {}
    for face in read_faces(shared / "data" / "mask-frames"):
        if face.box is not None:
            by_path.setdefault(face.path, []).append(face.box)
    found: list[list[Pair]] = [[], [], []]
    for index, (path, boxes) in enumerate(sorted(by_path.items())):
        found[index % 3] += _pairs_of(read_picture(path), boxes, yunet)
    redrawing = Redrawing.fitted(found[0] + found[1])
    judged = [pair for pair in found[2] if pair.is_whole]
    wanted = np.stack([pair.box for pair in judged])
    plain = np.array([pair.face.box.xyxy for pair in judged], np.float64)
    drawn = np.array([redrawing.draw(pair.face, pair.size_wh).xyxy for pair in judged], np.float64)
    assert len(judged) > 100
    assert overlaps(drawn, wanted).mean() > overlaps(plain, wanted).mean() + 0.005


def _pairs_of(pixels: Pixels, boxes: list[FaceBox], yunet: LandmarkFinder) -> list[Pair]:
    faces = yunet.find_all(pixels)
    nearest = [(max(faces, key=lambda face: face.box.iou(box)), box) for box in boxes if faces]
    return [
        Pair(face, np.array(box.xyxy, np.float64), (pixels.shape[1], pixels.shape[0]))
        for face, box in nearest
        if face.box.iou(box) > 0.4
    ]
