"""The geometry between a frame and the smaller picture that a network sees."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.finders.scaling import Scaling

SIDES = st.integers(1, 4000)


@st.composite
def frames_with_a_box(draw: st.DrawFn) -> tuple[int, int, FaceBox]:
    """Draw a frame of no odd shape, and a box inside."""
    width = draw(st.integers(16, 4000))
    height = draw(st.integers(max(width // 4, 16), min(width * 4, 4000)))
    x1, y1 = draw(st.integers(0, width - 2)), draw(st.integers(0, height - 2))
    x2, y2 = draw(st.integers(x1 + 1, width)), draw(st.integers(y1 + 1, height))
    return width, height, FaceBox(x1, y1, x2, y2)


@pytest.mark.parametrize(
    ("frame_wh", "work_size", "expected"),
    [
        ((640, 480), 320, (320, 240)),
        ((480, 640), 320, (240, 320)),
        ((1920, 1080), 320, (320, 180)),
        ((320, 320), 320, (320, 320)),  # just fits
        ((200, 100), 320, (200, 100)),  # small: never made larger
        ((4000, 2), 320, (320, 1)),  # a side is never lost
        ((1, 1), 64, (1, 1)),
    ],
)
def test_the_long_side_is_at_most_the_working_size(
    frame_wh: tuple[int, int], work_size: int, expected: tuple[int, int]
) -> None:
    assert Scaling.fitting(*frame_wh, work_size).work_wh == expected


@given(SIDES, SIDES, st.integers(64, 4096))
def test_a_working_picture_is_never_larger_than_frame_or_working_size(
    width: int, height: int, work_size: int
) -> None:
    work_wh = Scaling.fitting(width, height, work_size).work_wh
    assert min(work_wh) >= 1
    assert max(work_wh) <= work_size
    assert work_wh[0] <= width
    assert work_wh[1] <= height


@given(frames_with_a_box(), st.integers(64, 1000))
def test_a_box_survives_the_way_into_the_working_picture_and_back(
    drawn: tuple[int, int, FaceBox], work_size: int
) -> None:
    width, height, box = drawn
    scaling = Scaling.fitting(width, height, work_size)
    across, down = scaling.work_wh[0] / width, scaling.work_wh[1] / height
    back = scaling.box_in_frame(
        box.x1 * across, box.y1 * down, box.width * across, box.height * down, 0.5
    )
    assert back == FaceBox(*box.xyxy, score=0.5)


@given(
    SIDES,
    SIDES,
    st.integers(64, 1000),
    st.tuples(
        st.floats(-500, 500), st.floats(-500, 500), st.floats(0.01, 500), st.floats(0.01, 500)
    ),
)
def test_a_box_in_the_frame_never_reaches_over_its_edges(
    width: int, height: int, work_size: int, xywh: tuple[float, float, float, float]
) -> None:
    box = Scaling.fitting(width, height, work_size).box_in_frame(*xywh, score=1.0)
    assert box is None or box.clipped(width, height) == box


def test_a_box_that_lies_outside_is_none() -> None:
    scaling = Scaling.fitting(640, 480, 320)
    assert scaling.box_in_frame(-20, -20, 10, 10, 0.5) is None
    assert scaling.box_in_frame(400, 10, 10, 10, 0.5) is None
