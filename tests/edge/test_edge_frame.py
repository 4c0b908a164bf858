"""What is a picture in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from maskwatch_edge.frame import Frame


def test_a_frame_tells_its_size() -> None:
    frame = Frame(np.zeros((48, 64, 3), dtype=np.uint8), 0, 0.0, "a.jpg")
    assert (frame.width, frame.height) == (64, 48)


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [
        ((48, 64), np.uint8),  # grey
        ((48, 64, 4), np.uint8),  # transparent
        ((1, 48, 64, 3), np.uint8),  # a batch
        ((48, 64, 3), np.float32),  # scaled already
        ((48, 64, 3), np.int8),
        ((0, 64, 3), np.uint8),  # the empty frame of an unplugged camera
        ((48, 0, 3), np.uint8),
        ((0,), np.uint8),
    ],
)
def test_an_array_that_is_no_picture_is_refused_with_both_shapes(
    shape: tuple[int, ...], dtype: Any
) -> None:
    expected = r"uint8 of shape \(height, width, 3\); received .* of shape \("
    with pytest.raises(ValueError, match=expected):
        Frame(np.zeros(shape, dtype=dtype), 0, 0.0, "a.jpg")
