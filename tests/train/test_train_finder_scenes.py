"""What the finder learns from: scenes, where their faces are, and the answers that are wanted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.finders.codes import BoxCode, find_boxes, overlaps
from maskwatch_edge.finders.letterbox import GREY
from maskwatch_edge.frame import Pixels
from maskwatch_edge.pictures import read_picture
from maskwatch_train.finder.batches import (
    BACKGROUND_WEIGHTS,
    LAYOUT_WEIGHTS,
    SceneBatches,
    draw_odds,
)
from maskwatch_train.finder.config import FinderConfig
from maskwatch_train.finder.data import Picture
from maskwatch_train.finder.placing import place_background, place_picture
from maskwatch_train.finder.scene import make_scene, place_over
from maskwatch_train.finder.targets import encode_targets
from maskwatch_train.finder.truths import Teacher, Truths, annotated
from maskwatch_train.landmarks import LandmarkFinder, Landmarks
from maskwatch_train.options import SHIPPED

from .conftest import FinderOf

PLACES = (32, 40)
CODE = BoxCode()
CONFIG = FinderConfig(width=96, height=64, batch_size=3, steps=2)


def truths_of(*boxes: tuple[float, float, float, float], sure: bool = True) -> Truths:
    edges = np.array(boxes).reshape(-1, 4)
    return Truths(edges, np.full(len(boxes), sure), np.zeros(len(boxes), bool))


def red_part(pixels: Pixels) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero(pixels[..., 0].astype(int) > pixels[..., 2].astype(int) + 60)
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def red_face(layout: str = "frames") -> Picture:
    """Paint a red disc on blue ground."""
    pixels = np.zeros((480, 640, 3), np.uint8)
    pixels[...] = (0, 0, 255)
    cv2.ellipse(pixels, ((320, 240), (240, 240), 0), (255, 0, 0), cv2.FILLED)
    return Picture(pixels, annotated([FaceBox(*red_part(pixels))]), ("red",), layout)


def empty() -> Picture:
    """Paint a picture in which nothing is."""
    return Picture(np.full((90, 120, 3), 80, np.uint8), annotated([]), ("empty",), "folders")


@st.composite
def faces_apart(draw: st.DrawFn) -> Truths:
    """Draw faces of 9 to 60 px, each in a field of its own of 80x64 px."""
    boxes = []
    for field in draw(st.sets(st.integers(0, 15))):
        x, y = field % 4 * 80, field // 4 * 64
        w, h = draw(st.floats(9, 60)), draw(st.floats(9, 60))
        left, top = x + draw(st.floats(0, 80 - w)), y + draw(st.floats(0, 64 - h))
        boxes.append((left, top, left + w, top + h))
    return truths_of(*boxes)


@given(faces_apart())
def test_the_wanted_answer_is_read_as_the_faces_that_it_was_made_of(truths: Truths) -> None:
    targets = encode_targets(truths, PLACES, CODE)
    boxes, scores = find_boxes(targets.heat[..., 0], targets.boxes[..., :4], CODE, min_score=0.999)
    assert len(boxes) == len(truths)
    assert (scores == 1.0).all()
    for truth in truths.boxes:
        assert overlaps(truth, boxes).max() > 0.99


@given(faces_apart())
def test_no_face_weighs_more_than_another_alone_would(truths: Truths) -> None:
    targets = encode_targets(truths, PLACES, CODE)
    assert targets.boxes[..., 4].sum() <= len(truths) + 1e-4
    assert np.abs(targets.boxes[..., :4]).max(initial=0.0) <= 1.0
    for box in truths.boxes:
        alone = encode_targets(truths_of(tuple(box)), PLACES, CODE)
        weight = min((box[2:] - box[:2]).min() / 24, 1)
        assert alone.boxes[..., 4].sum() == pytest.approx(weight, abs=1e-4)


@pytest.mark.parametrize(("size", "weight"), [(5, 0.25), (12, 0.5), (24, 1.0), (200, 1.0)])
def test_boxes_of_small_faces_weigh_less(size: float, weight: float) -> None:
    truths = truths_of((40.0, 30.0, 40.0 + size, 35.0 + size))
    weights = encode_targets(truths, PLACES, CODE).boxes[..., 4]
    assert weights.sum() == pytest.approx(weight, abs=1e-4)


@pytest.mark.parametrize(
    "truths",
    [
        truths_of((80.0, 80.0, 120.0, 120.0), sure=False),  # the teacher is not sure
        truths_of((84.0, 84.0, 90.0, 100.0)),  # too small to learn
    ],
)
def test_what_is_not_learned_is_ignored_and_not_background(truths: Truths) -> None:
    targets = encode_targets(truths, PLACES, CODE)
    assert targets.heat[..., 0].max() == 0.0
    assert targets.heat[11, 11, 1] == 0.0
    assert targets.heat[0, 0, 1] == 1.0


def test_a_box_is_learned_of_smaller_faces_than_heat_but_of_no_doubtful_one() -> None:
    """Else all that is found smaller than the least face would be boxed as large as that."""
    small = (84.0, 84.0, 90.0, 100.0)
    targets = encode_targets(truths_of(small), PLACES, CODE)
    assert targets.heat[..., 0].max() == 0.0
    best = np.unravel_index(targets.boxes[..., 4].argmax(), PLACES)
    box = CODE.decode(targets.boxes[best][:4], CODE.points(*map(np.array, best)))
    assert box.tolist() == pytest.approx(small, abs=0.01)
    doubtful = (truths_of(box, sure=False) for box in (small, (80.0, 80.0, 120.0, 120.0)))
    for nothing in (*doubtful, truths_of((84.0, 84.0, 87.0, 88.0))):
        assert encode_targets(nothing, PLACES, CODE).boxes[..., 4].max() == 0.0


def test_a_small_face_in_front_of_a_large_one_keeps_its_place() -> None:
    small = (150.0, 118.0, 170.0, 138.0)
    targets = encode_targets(truths_of((60.0, 28.0, 260.0, 228.0), small), PLACES, CODE)
    boxes, _ = find_boxes(targets.heat[..., 0], targets.boxes[..., :4], CODE, min_score=0.999)
    assert overlaps(np.array(small), boxes).max() > 0.99


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.sampled_from([(96, 64), (64, 96), (320, 256)]))
def test_the_face_is_where_its_box_says(seed: int, size_wh: tuple[int, int]) -> None:
    for place in (place_picture, place_background):
        placed = place(red_face(), size_wh, np.random.default_rng(seed))
        assert placed.pixels.shape == (size_wh[1], size_wh[0], 3)
        truths = placed.truths
        for box, sure in zip(truths.boxes, truths.sure, strict=True):
            assert (box >= 0).all()
            assert (box <= np.tile(size_wh, 2)).all()
            if sure:
                assert np.abs(np.array(red_part(placed.pixels)) - box).max() <= 1


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.sampled_from([(96, 64), (64, 96), (320, 256)]))
def test_what_is_not_covered_is_grey_and_a_background_covers_all(
    seed: int, size_wh: tuple[int, int]
) -> None:
    rng = np.random.default_rng(seed)
    placed = place_picture(red_face(), size_wh, rng)
    inner = cv2.erode((~placed.covered).astype(np.uint8), np.ones((3, 3))) > 0
    assert (placed.pixels[inner] == GREY).all()
    assert place_background(red_face(), size_wh, rng).covered.mean() > 0.95


@settings(max_examples=60)
@given(st.integers(0, 10_000))
def test_of_a_sure_face_behind_another_picture_enough_is_seen(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scene, truths = place_over(empty(), red_face(), (160, 120), rng)
    assert scene.shape == (120, 160, 3)
    for box in truths.boxes[truths.sure]:
        x1, y1, x2, y2 = box.astype(int)
        part = scene[y1:y2, x1:x2].astype(int)
        # Where half of the box is free, at least that without the corners of an oval is.
        assert (part.max(axis=2) - part.min(axis=2) > 60).mean() > 0.25


def test_a_scene_is_the_same_for_the_same_draw() -> None:
    pictures = [red_face()] * 4
    for seed in range(20):
        one, truths = make_scene(pictures, pictures, (96, 64), np.random.default_rng(seed))
        other, same = make_scene(pictures, pictures, (96, 64), np.random.default_rng(seed))
        assert np.array_equal(one, other)
        assert np.array_equal(truths.boxes, same.boxes)
        assert one.shape == (64, 96, 3)
        assert one.dtype == np.uint8


def test_the_pictures_are_not_changed_by_what_is_made_of_them() -> None:
    picture = red_face()
    before = picture.pixels.copy(), picture.truths.boxes.copy()
    for seed in range(30):
        make_scene([picture] * 4, [picture] * 4, (96, 64), np.random.default_rng(seed))
    assert np.array_equal(picture.pixels, before[0])
    assert np.array_equal(picture.truths.boxes, before[1])


def test_an_epoch_can_be_repeated_and_the_next_is_another() -> None:
    batches = SceneBatches([red_face()] * 4, CONFIG, first_epoch=3)
    scenes, wanted = batches[1]
    assert scenes.shape == (3, 64, 96, 3)
    assert scenes.dtype == np.float32
    assert wanted["heat"].shape == (3, 8, 12, 2)
    assert wanted["boxes"].shape == (3, 8, 12, 5)
    again = SceneBatches([red_face()] * 4, CONFIG, first_epoch=3)
    assert np.array_equal(again[1][0], scenes)
    again.on_epoch_end()
    assert not np.array_equal(again[1][0], scenes)


def test_layouts_are_drawn_by_their_weight_and_pictures_of_one_alike() -> None:
    frames = [red_face()] * 4
    assert draw_odds(frames, LAYOUT_WEIGHTS).tolist() == [0.25] * 4
    pictures = [red_face(layout) for layout in ("frames", "folders", "folders", "kaggle")]
    odds = draw_odds(pictures, LAYOUT_WEIGHTS)
    assert odds.tolist() == pytest.approx([0.5, 0.175, 0.175, 0.15])
    assert draw_odds(pictures, BACKGROUND_WEIGHTS).tolist() == pytest.approx([0.6, 0.2, 0.2, 0.0])


def test_pictures_with_hard_faces_are_drawn_twice_as_often() -> None:
    easy = red_face()
    hard = replace(easy, truths=replace(easy.truths, hard=np.array([True])))
    odds = draw_odds([easy, hard, red_face("folders")], LAYOUT_WEIGHTS)
    assert odds[1] == pytest.approx(2 * odds[0])
    assert odds[2] == pytest.approx(0.35 / 0.85)


class FakeYunet:
    """Finds faces of these scores, side by side from the left."""

    def __init__(self, *scores: float) -> None:
        self._scores = scores

    def find_all(self, pixels: Pixels) -> list[Landmarks]:
        points: npt.NDArray[np.float32] = np.zeros((5, 2), np.float32)
        return [Landmarks(box_at(i, score), points) for i, score in enumerate(self._scores)]


def box_at(place: int, score: float) -> FaceBox:
    return FaceBox(100 * place, 0, 100 * place + 50, 100, score)


def teach(yunet: FakeYunet, *own: FaceBox) -> dict[int, bool] | None:
    """Return whether the face at each place is sure."""
    teacher = Teacher(cast(LandmarkFinder, yunet), FinderOf(own))
    truths = teacher.teach(np.zeros((100, 400, 3), np.uint8))
    if truths is None:
        return None
    return {
        round(box[0]) // 100: bool(sure)
        for box, sure in zip(truths.boxes, truths.sure, strict=True)
    }


@pytest.mark.parametrize(
    ("scores", "sure"),
    [
        ((0.4, 0.9), {1: True, 0: False}),
        ((0.6,), {0: True}),  # it is known that a face is there
        ((0.6, 0.8), {1: True, 0: False}),
        ((0.4,), None),  # too doubtful even so
        ((), None),
    ],
)
def test_the_teacher_is_believed_where_it_is_sure(
    scores: tuple[float, ...], sure: dict[int, bool] | None
) -> None:
    assert teach(FakeYunet(*scores)) == sure


@pytest.mark.parametrize(
    ("scores", "own", "sure"),
    [
        ((), [box_at(2, 0.7)], {2: True}),  # a masked face that YuNet does not see
        ((), [box_at(2, 0.45), box_at(3, 0.45)], {2: True, 3: False}),
        ((), [box_at(2, 0.3)], None),  # a doubtful one does not make a picture worth learning
        ((0.9,), [box_at(2, 0.3)], {0: True, 2: False}),  # but it is no background
        ((0.9, 0.4), [box_at(1, 0.7)], {0: True, 1: True}),  # where YuNet doubts
        ((0.4,), [box_at(1, 0.7)], {1: True, 0: False}),
        ((0.9,), [box_at(0, 0.3)], {0: True}),  # the same face, told once
    ],
)
def test_a_finder_of_ours_teaches_what_yunet_does_not_see(
    scores: tuple[float, ...], own: list[FaceBox], sure: dict[int, bool] | None
) -> None:
    assert teach(FakeYunet(*scores), *own) == sure


@pytest.mark.parametrize(("score", "hard"), [(0.9, False), (0.5, True)])
def test_a_face_that_yunet_does_not_find_is_a_hard_one(score: float, hard: bool) -> None:
    teacher = Teacher(cast(LandmarkFinder, FakeYunet(score)))
    faces = annotated([box_at(0, 1.0), box_at(2, 1.0), FaceBox(90, 0, 100, 10)])
    marked = teacher.mark_hard(np.zeros((100, 400, 3), np.uint8), faces)
    assert marked.hard.tolist() == [hard, True, False]  # the last one is too small to count


def test_a_difficult_face_is_ignored_and_never_hard() -> None:
    teacher = Teacher(cast(LandmarkFinder, FakeYunet()))
    marked = teacher.mark_hard(
        np.zeros((100, 400, 3), np.uint8), annotated([box_at(0, 1.0)], [box_at(2, 1.0)])
    )
    assert marked.sure.tolist() == [True, False]
    assert marked.hard.tolist() == [True, False]


def test_the_real_teachers_find_the_face_of_a_real_frame_once(shared: Path) -> None:
    yunet = shared / "weights" / "face_detection_yunet_2023mar.onnx"
    name = "maksssksksss128.jpg"
    pixels = read_picture(shared / "data" / "mask-frames" / "images" / name)
    for teacher in (Teacher.open(yunet, None), Teacher.open(yunet, SHIPPED)):
        truths = teacher.teach(pixels)
        assert truths is not None
        shares = overlaps(np.array([93.0, 183, 194, 295]), truths.boxes)
        assert (shares > 0.6).tolist() == [True] + [False] * (len(truths) - 1)
