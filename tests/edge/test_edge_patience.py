"""When a camera is no longer believed."""

from __future__ import annotations

import numpy as np
import pytest

from maskwatch_edge.cameras.patience import FreezeGuard
from maskwatch_edge.errors import SourceError
from maskwatch_edge.frame import Pixels


def picture(value: int = 0, *, at: tuple[int, int] = (0, 0), size: int = 50) -> Pixels:
    pixels = np.zeros((size, size, 3), dtype=np.uint8)
    pixels[at] = value
    return pixels


@pytest.fixture
def guard() -> FreezeGuard:
    return FreezeGuard(5.0)


def test_the_same_picture_is_shown_until_the_limit_and_then_refused(guard: FreezeGuard) -> None:
    assert guard.is_news(picture(), 0.0)
    assert guard.is_news(picture(), 4.9)
    with pytest.raises(SourceError, match=r"the very same picture for 5 s.*lid"):
        guard.is_news(picture(), 5.0)


@pytest.mark.parametrize(
    "other",
    [
        picture(1),  # on the grid that is compared first
        picture(1, at=(7, 9)),  # beside the grid
        picture(1, at=(49, 49)),
        picture(size=60),
    ],
    ids=["grid", "beside", "corner", "size"],
)
def test_a_single_changed_pixel_proves_that_the_camera_lives(
    guard: FreezeGuard, other: Pixels
) -> None:
    assert guard.is_news(picture(), 0.0)
    assert guard.is_news(other, 4.9)
    assert guard.is_news(picture(), 9.0)
    assert guard.is_news(picture(), 13.9)


def test_opened_again_it_has_its_time_but_the_frozen_picture_is_not_shown(
    guard: FreezeGuard,
) -> None:
    guard.is_news(picture(), 0.0)
    with pytest.raises(SourceError):
        guard.is_news(picture(), 6.0)
    guard.restart(10.0)
    assert not guard.is_news(picture(), 10.0)
    assert not guard.is_news(picture(), 14.9)
    with pytest.raises(SourceError):
        guard.is_news(picture(), 15.0)
    guard.restart(20.0)
    assert not guard.is_news(picture(), 20.0)
    assert guard.is_news(picture(1), 20.1)
    assert guard.is_news(picture(1), 25.0)
