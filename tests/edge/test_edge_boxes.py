"""The geometry of face boxes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwatch_edge.boxes import FaceBox


@st.composite
def boxes(draw: st.DrawFn, reach: int = 2000) -> FaceBox:
    x1, y1 = draw(st.integers(-reach, reach)), draw(st.integers(-reach, reach))
    width, height = draw(st.integers(1, reach)), draw(st.integers(1, reach))
    return FaceBox(x1, y1, x1 + width, y1 + height, draw(st.floats(0, 1)))


sides = st.integers(1, 3000)


@pytest.mark.parametrize(
    "edges",
    [
        (5, 0, 5, 9),  # no width
        (0, 7, 9, 7),  # no height
        (9, 0, 5, 9),  # left and right swapped
        (0, 9, 9, 5),  # up and down swapped
    ],
)
def test_a_box_without_area_is_refused_with_its_edges(edges: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match=r"x1 < x2 and y1 < y2.*" + str(edges[0])):
        FaceBox(*edges)


@pytest.mark.parametrize("score", [-0.01, 1.01, math.inf, math.nan])
def test_a_score_outside_0_to_1_is_refused(score: float) -> None:
    with pytest.raises(ValueError, match=r"score must be in \[0, 1\]"):
        FaceBox(0, 0, 1, 1, score)


def test_a_box_tells_its_measures() -> None:
    box = FaceBox(10, 20, 40, 100)
    assert box.xyxy == (10, 20, 40, 100)
    assert (box.width, box.height, box.area) == (30, 80, 2400)
    assert box.size == 30, "the shorter side is the size of a face"


@pytest.mark.parametrize(
    ("margin", "expected"),
    [
        (0.0, (10, 20, 40, 100)),  # nothing
        (0.1, (7, 12, 43, 108)),  # a tenth of each side, on each side
        (1.0, (-20, -60, 70, 180)),  # over the edge of the frame: clipping is another act
        (-0.1, (13, 28, 37, 92)),  # a negative margin shrinks
    ],
)
def test_a_box_grows_by_a_share_of_its_own_sides(
    margin: float, expected: tuple[int, int, int, int]
) -> None:
    assert FaceBox(10, 20, 40, 100).expanded(margin).xyxy == expected


@pytest.mark.parametrize(
    ("edges", "expected"),
    [
        ((10, 20, 40, 60), (10, 20, 40, 60)),  # inside
        ((-10, -20, 40, 60), (0, 0, 40, 60)),  # over the upper left corner
        ((90, 40, 130, 90), (90, 40, 100, 80)),  # over the lower right corner
        ((-5, -5, 200, 200), (0, 0, 100, 80)),  # all around
        ((100, 10, 120, 30), None),  # touches the right edge from outside
        ((-20, 10, 0, 30), None),  # touches the left edge from outside
        ((10, 80, 20, 90), None),  # below
        ((10, -9, 20, 0), None),  # above
    ],
)
def test_a_box_is_cut_to_its_frame(
    edges: tuple[int, int, int, int], expected: tuple[int, int, int, int] | None
) -> None:
    clipped = FaceBox(*edges).clipped(100, 80)
    assert (clipped.xyxy if clipped else None) == expected


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (FaceBox(0, 0, 10, 10), 1.0),  # the same
        (FaceBox(10, 0, 20, 10), 0.0),  # side by side
        (FaceBox(20, 20, 30, 30), 0.0),  # far apart
        (FaceBox(5, 0, 15, 10), 1 / 3),  # half of each
        (FaceBox(0, 0, 5, 5), 0.25),  # one inside the other
    ],
)
def test_overlap_is_intersection_over_union(other: FaceBox, expected: float) -> None:
    assert FaceBox(0, 0, 10, 10).iou(other) == pytest.approx(expected)


@given(boxes(reach=12), boxes(reach=12))
def test_overlap_equals_counting_pixels(one: FaceBox, other: FaceBox) -> None:
    grids = []
    for box in (one, other):
        grid = np.zeros((40, 40), dtype=bool)
        grid[box.y1 + 12 : box.y2 + 12, box.x1 + 12 : box.x2 + 12] = True
        grids.append(grid)
    assert one.iou(other) == pytest.approx(
        (grids[0] & grids[1]).sum() / (grids[0] | grids[1]).sum()
    )


@given(boxes(), boxes())
def test_overlap_is_the_same_from_both_sides_and_in_0_to_1(one: FaceBox, other: FaceBox) -> None:
    assert one.iou(other) == other.iou(one)
    assert 0.0 <= one.iou(other) <= 1.0
    assert one.iou(one) == 1.0


@given(boxes(), sides, sides)
def test_a_cut_box_lies_in_its_frame_and_is_not_cut_again(
    box: FaceBox, width: int, height: int
) -> None:
    clipped = box.clipped(width, height)
    if clipped is None:
        assert box.iou(FaceBox(0, 0, width, height)) == 0.0
        return
    assert 0 <= clipped.x1 < clipped.x2 <= width
    assert 0 <= clipped.y1 < clipped.y2 <= height
    assert clipped.clipped(width, height) == clipped
    assert clipped.score == box.score


@given(boxes(), st.floats(0, 2))
def test_a_grown_box_holds_the_one_that_it_grew_from(box: FaceBox, margin: float) -> None:
    grown = box.expanded(margin)
    assert grown.x1 <= box.x1 < box.x2 <= grown.x2
    assert grown.y1 <= box.y1 < box.y2 <= grown.y2
    assert grown.x1 + grown.x2 == box.x1 + box.x2, "it grows by the same on both sides"
    assert grown.score == box.score
