"""Letterbox and box codes: there and back again."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.finders.codes import BoxCode, find_boxes, find_peaks, overlaps, without_overlaps
from maskwatch_edge.finders.letterbox import GREY, Letterbox, fill_letterbox
from maskwatch_edge.finders.scoring import FinderScorer
from maskwatch_edge.finders.tflite import frame_boxes

SIDES = st.integers(1, 3000)
INPUTS = st.sampled_from([(320, 256), (256, 320), (32, 32), (640, 480)])


@st.composite
def boxes_in(draw: st.DrawFn, width: int, height: int, least: float) -> tuple[float, ...]:
    w, h = draw(st.floats(least, width)), draw(st.floats(least, height))
    x, y = draw(st.floats(0, width - w)), draw(st.floats(0, height - h))
    return x, y, x + w, y + h


@given(SIDES, SIDES, INPUTS, st.data())
def test_a_box_comes_back_from_the_letterbox(
    width: int, height: int, input_wh: tuple[int, int], data: st.DataObject
) -> None:
    letterbox = Letterbox.fit((width, height), input_wh)
    box = np.array([data.draw(boxes_in(width, height, 0.5))])
    there = letterbox.to_input(box)
    assert np.allclose(letterbox.to_frame(there), box, atol=1e-6)
    assert (there >= 0).all()
    assert (there <= np.tile(input_wh, 2) + 1e-6).all()


@given(SIDES, SIDES, INPUTS)
def test_a_frame_fits_with_its_aspect_kept(
    width: int, height: int, input_wh: tuple[int, int]
) -> None:
    letterbox = Letterbox.fit((width, height), input_wh)
    assert 1 <= letterbox.width <= input_wh[0]
    assert 1 <= letterbox.height <= input_wh[1]
    assert letterbox.width == input_wh[0] or letterbox.height == input_wh[1]
    scale = min(input_wh[0] / width, input_wh[1] / height)
    # To half a pixel, except that a side has at least one.
    assert letterbox.width == pytest.approx(max(width * scale, 1), abs=0.51)
    assert letterbox.height == pytest.approx(max(height * scale, 1), abs=0.51)


@pytest.mark.parametrize("shape", [(100, 400), (400, 100), (64, 80), (1, 1), (1000, 3)])
def test_what_is_beside_the_frame_is_grey(shape: tuple[int, int]) -> None:
    target = np.full((64, 80, 3), 7, np.float32)
    letterbox = fill_letterbox(np.full((*shape, 3), 200, np.uint8), target)
    assert (target[: letterbox.height, : letterbox.width] == 200).all()
    assert (target[letterbox.height :] == GREY).all()
    assert (target[:, letterbox.width :] == GREY).all()


@given(st.data())
def test_a_box_comes_back_from_its_code(data: st.DataObject) -> None:
    code = BoxCode()
    box = np.array([data.draw(boxes_in(320, 256, 8.0))])
    centre = (box[0, :2] + box[0, 2:]) / 2
    column, row = (np.minimum(centre / code.stride, [39, 31])).astype(int)
    points = code.points(np.array([row]), np.array([column]))
    codes = code.encode(box, points)
    assert (np.abs(codes) < 1.0).all()
    assert np.allclose(code.decode(codes, points), box, atol=1e-6)


@given(st.data())
def test_an_int8_step_moves_no_face_far(data: st.DataObject) -> None:
    """A tanh in int8 has steps of 1/128: that must cost little overlap, whatever the size."""
    code = BoxCode()
    box = np.array([data.draw(boxes_in(320, 256, 16.0))])
    points = np.floor((box[:, :2] + box[:, 2:]) / 2)
    codes = code.encode(box, points)
    stepped = np.round(codes * 128) / 128
    assert overlaps(box[0], code.decode(stepped, points))[0] > 0.95


def answer_of(*faces: tuple[int, int, float]) -> npt.NDArray[np.float32]:
    heat = np.zeros((32, 40), np.float32)
    for row, column, score in faces:
        heat[row, column] = score
    return heat


def test_peaks_come_the_highest_first_and_their_neighbours_not_at_all() -> None:
    heat = answer_of((5, 5, 0.6), (5, 6, 0.5), (20, 30, 0.9), (31, 39, 0.7), (0, 0, 0.1))
    rows, columns = find_peaks(heat, 0.3, 10)
    assert list(zip(rows.tolist(), columns.tolist(), strict=True)) == [(20, 30), (31, 39), (5, 5)]


def test_of_a_plateau_one_box_is_left() -> None:
    heat = answer_of((5, 5, 0.6), (5, 6, 0.6), (6, 5, 0.6))
    boxes, scores = find_boxes(heat, np.zeros((32, 40, 4)), BoxCode(), min_score=0.5)
    assert boxes.shape == (1, 4)
    assert scores.tolist() == pytest.approx([0.6])


def answers_at(
    places: dict[tuple[int, int], tuple[float, tuple[float, ...]]],
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
    """Return a heat map and codes that say a score and a box at each place."""
    heat, codes, code = answer_of(), np.zeros((32, 40, 4)), BoxCode()
    for (row, column), (score, box) in places.items():
        heat[row, column] = score
        point = code.points(np.array([row]), np.array([column]))
        codes[row, column] = code.encode(np.array([box]), point)[0]
    return heat, codes


def test_a_box_is_the_mean_of_those_around_the_peak_weighted_by_their_heat() -> None:
    heat, codes = answers_at(
        {
            (10, 10): (0.6, (60.0, 60.0, 100.0, 100.0)),
            (10, 11): (0.3, (63.0, 60.0, 103.0, 106.0)),
            (9, 10): (0.05, (66.0, 60.0, 90.0, 90.0)),  # too cold
            (11, 11): (0.5, (100.0, 100.0, 116.0, 116.0)),  # another face
            (12, 10): (0.5, (66.0, 66.0, 90.0, 90.0)),  # too far away
        }
    )
    boxes, scores = find_boxes(heat, codes, BoxCode(), min_score=0.55)
    assert boxes[0].tolist() == pytest.approx([61.0, 60.0, 101.0, 102.0])
    assert scores.tolist() == pytest.approx([0.6])


@pytest.mark.parametrize("place", [(0, 0), (0, 39), (31, 0), (31, 39), (0, 20), (16, 39)])
def test_a_peak_at_the_edge_counts_nothing_twice(place: tuple[int, int]) -> None:
    row, column = place
    inside = (row, column + 1 if column < 39 else 38)
    x, y = column * 8.0, row * 8.0
    heat, codes = answers_at(
        {place: (0.8, (x, y, x + 24, y + 24)), inside: (0.4, (x, y, x + 24, y + 30))}
    )
    boxes, _ = find_boxes(heat, codes, BoxCode(), min_score=0.5)
    assert boxes[0].tolist() == pytest.approx([x, y, x + 24, y + 26], abs=1e-3)


def test_no_more_boxes_come_than_asked_for() -> None:
    heat = answer_of(*[(row, 4, 0.5) for row in range(0, 32, 4)])
    codes = np.full((32, 40, 4), -0.5)  # small boxes, which do not overlap
    assert len(find_boxes(heat, codes, BoxCode(), min_score=0.5)[0]) == 8
    assert len(find_boxes(heat, codes, BoxCode(), min_score=0.5, most=3)[0]) == 3


def test_an_empty_heat_map_has_no_boxes() -> None:
    boxes, scores = find_boxes(answer_of(), np.zeros((32, 40, 4)), BoxCode(), min_score=0.1)
    assert boxes.shape == (0, 4)
    assert scores.shape == (0,)


@given(
    st.lists(st.tuples(*[st.floats(0, 100)] * 2, *[st.floats(1, 100)] * 2), max_size=12),
    st.floats(0.1, 0.9),
)
def test_no_two_of_the_boxes_that_are_kept_overlap(
    corners: list[tuple[float, ...]], iou: float
) -> None:
    boxes = np.array([(x, y, x + w, y + h) for x, y, w, h in corners]).reshape(-1, 4)
    kept = without_overlaps(boxes, iou)
    assert sorted(kept) == list(kept)
    for place, index in enumerate(kept):
        assert (overlaps(boxes[index], boxes[kept[place + 1 :]]) <= iou).all()
    for index in set(range(len(boxes))) - set(kept.tolist()):
        before = kept[kept < index]
        assert (overlaps(boxes[index], boxes[before]) > iou).any()


def test_boxes_are_cut_to_the_frame_and_small_ones_left_out() -> None:
    letterbox = Letterbox.fit((640, 512), (320, 256))
    boxes = np.array([[-10.0, -10, 20, 30], [400, 10, 420, 30], [10, 10, 13, 40], [5, 5, 20, 20]])
    found = frame_boxes(boxes, np.array([0.9, 0.8, 0.7, 1.001]), letterbox, (512, 640), 8)
    assert found == [FaceBox(0, 0, 40, 60, 0.9), FaceBox(10, 10, 40, 40, 1.0)]


FACE, SMALL = FaceBox(0, 0, 40, 40), FaceBox(100, 0, 120, 20)


@pytest.mark.parametrize(
    ("found", "ap50", "recall", "false_alarms"),
    [
        ([[(FACE, 0.9)]], 1.0, 1.0, 0.0),
        ([[]], 0.0, 0.0, 0.0),
        ([[(FACE, 0.9), (SMALL, 0.8)]], 1.0, 1.0, 0.0),  # a small face counts for nothing
        ([[(FACE, 0.5), (FaceBox(200, 0, 240, 40), 0.9)]], 0.5, 1.0, 1.0),
        ([[(FACE, 0.9), (FACE, 0.8)]], 1.0, 1.0, 1.0),  # found twice
        ([[(FaceBox(30, 0, 70, 40), 0.9)]], 0.0, 0.0, 1.0),  # beside it
        ([[(FACE, 0.9), (FaceBox(200, 0, 210, 10), 0.95)]], 1.0, 1.0, 0.0),  # a small mistake
        ([[(FACE, 0.9)], []], 0.5, 0.5, 0.0),
    ],
)
def test_a_finder_is_scored_by_faces_of_32_px_and_more(
    found: list[list[tuple[FaceBox, float]]], ap50: float, recall: float, false_alarms: float
) -> None:
    scorer = FinderScorer()
    for boxes in found:
        scorer.add([FACE, SMALL], [FaceBox(*box.xyxy, score) for box, score in boxes])
    figures = scorer.result()
    assert figures["ap50"] == pytest.approx(ap50)
    assert figures["recall"] == pytest.approx(recall)
    assert figures["false_alarms_per_frame"] == pytest.approx(false_alarms)


def test_the_score_at_few_false_alarms_is_the_lowest_that_keeps_them_few() -> None:
    scorer = FinderScorer()
    wrong = FaceBox(200, 0, 240, 40)
    # One false alarm in 20 frames is allowed; the second, at 0.4, is one too many.
    for score in (0.9, 0.7, *[0.6] * 8, *[0.3] * 10):
        scorer.add([FACE], [FaceBox(*FACE.xyxy, score)])
    scorer.add([], [FaceBox(*wrong.xyxy, 0.8), FaceBox(*wrong.expanded(0.1).xyxy, 0.4)])
    figures = scorer.result()
    assert figures["recall_at_few_false_alarms"] == 0.5
    assert figures["score_at_few_false_alarms"] == pytest.approx(0.6)


def test_to_find_a_difficult_face_is_no_false_alarm_for_a_finder() -> None:
    scorer = FinderScorer()
    difficult = FaceBox(200, 0, 240, 40)
    scorer.add([FACE], [FaceBox(*FACE.xyxy, 0.5), FaceBox(202, 0, 240, 40, 0.9)], [difficult])
    figures = scorer.result()
    assert (figures["faces"], figures["ap50"]) == (1, 1.0)
    assert figures["false_alarms_per_frame"] == 0.0


def test_nothing_found_in_nothing_gives_figures_all_the_same() -> None:
    figures = FinderScorer().result()
    assert (figures["frames"], figures["faces"], figures["ap50"]) == (0, 0, 0.0)
