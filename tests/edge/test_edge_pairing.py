"""Which box continues which."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.pairing import (
    LONGEST_REACH,
    REACH_A_SECOND,
    Candidate,
    affinity,
    candidates,
    pair_up,
)

MIN_IOU = 0.25


def face(x: int, y: int = 0, size: int = 100) -> FaceBox:
    return FaceBox(x, y, x + size, y + size)


sides = st.integers(10, 200)
corners = st.integers(-100, 600)
boxes = st.builds(lambda x, y, w, h: FaceBox(x, y, x + w, y + h), corners, corners, sides, sides)


@pytest.mark.parametrize(
    ("candidates", "pairs"),
    [
        ([], {}),
        ([(0.5, 0, 0)], {0: 0}),
        ([(0.5, 0, 0), (0.9, 0, 1), (0.8, 1, 1), (0.4, 1, 0)], {0: 1, 1: 0}),  # best first
        ([(0.9, 0, 0), (0.8, 1, 0)], {0: 0}),  # a column is taken once
        ([(0.8, 0, 1), (0.9, 0, 0)], {0: 0}),  # and a row
        ([(0.5, 1, 0), (0.5, 0, 0), (0.5, 0, 1), (0.5, 1, 1)], {0: 0, 1: 1}),  # a tie
    ],
)
def test_the_best_pair_goes_first(candidates: list[Candidate], pairs: dict[int, int]) -> None:
    assert pair_up(candidates) == pairs


@given(st.lists(st.tuples(st.floats(0.01, 2), st.integers(0, 5), st.integers(0, 5))))
def test_nothing_is_paired_twice_and_nothing_that_could_be_is_left(among: list[Candidate]) -> None:
    pairs = pair_up(among)
    assert len(set(pairs.values())) == len(pairs)
    for _, row, column in among:
        assert row in pairs or column in pairs.values()


@pytest.mark.parametrize(
    ("after", "reach", "fits"),
    [
        (face(0), 0.0, True),  # the same place
        (face(50), 0.0, True),  # IoU 1/3
        (face(70), 0.0, False),  # IoU 0.18
        (face(70), 0.8, True),  # near enough if the looks are far apart
        (face(120), 1.0, False),
        (face(120), 1.3, True),
        (face(90, 90), 1.2, False),  # 1.27 sizes away over the corner
        (face(-30, -30, 160), 0.0, True),  # nearer to the camera
        (face(-30, -30, 161), 1.5, False),  # another face behind or before it
        (face(20, 20, 62), 1.5, False),  # a false alarm within the face
    ],
)
def test_a_face_is_continued_by_a_box_that_overlaps_or_is_near(
    after: FaceBox, reach: float, fits: bool
) -> None:
    assert (affinity(face(0), after, reach, MIN_IOU) > 0) is fits


def test_overlapping_beats_being_near() -> None:
    barely, close = face(58), face(0, 62)
    assert affinity(face(0), barely, 1.5, MIN_IOU) > 1 > affinity(face(0), close, 1.5, MIN_IOU) > 0


def test_boxes_that_do_not_overlap_never_do_even_at_the_lowest_setting() -> None:
    assert affinity(face(0), face(100), 0.0, 0.0) == 0


@given(boxes, boxes, st.floats(0, LONGEST_REACH))
def test_it_does_not_matter_which_box_was_first(a: FaceBox, b: FaceBox, reach: float) -> None:
    assert affinity(a, b, reach, MIN_IOU) == affinity(b, a, reach, MIN_IOU)


@given(
    st.lists(st.tuples(boxes, st.floats(0, 2)), max_size=6),
    st.lists(boxes, max_size=6),
    st.sampled_from([0.0, 0.1, MIN_IOU]),
)
def test_ruling_out_the_distant_loses_no_pair(
    before: list[tuple[FaceBox, float]], after: list[FaceBox], min_iou: float
) -> None:
    every = [
        (affinity(box, other, min(REACH_A_SECOND * elapsed, LONGEST_REACH), min_iou), row, column)
        for row, (box, elapsed) in enumerate(before)
        for column, other in enumerate(after)
    ]
    assert list(candidates(before, after, min_iou)) == [each for each in every if each[0] > 0]
