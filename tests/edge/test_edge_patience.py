"""How long a camera is waited for, and when it is no longer believed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwatch_edge.cameras.patience import JITTER, Backoff, FreezeGuard
from maskwatch_edge.errors import SourceError
from maskwatch_edge.frame import Pixels


def waits(backoff: Backoff, count: int) -> list[float]:
    return [backoff.next_seconds() for _ in range(count)]


def test_waits_double_until_the_longest() -> None:
    backoff = Backoff(0.5, 30.0, chance=lambda: 0.0)
    assert waits(backoff, 9) == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


@pytest.mark.parametrize(
    ("worked_seconds", "expected"),
    [
        (0.0, 8.0),  # it never worked
        (3.9, 8.0),  # it broke sooner than it was waited for: a loose contact
        (4.1, 0.5),  # it worked
        (86400.0, 0.5),
    ],
)
def test_waits_start_again_only_after_it_worked_for_a_while(
    worked_seconds: float, expected: float
) -> None:
    backoff = Backoff(0.5, 30.0, chance=lambda: 0.0)
    assert waits(backoff, 4) == [0.5, 1, 2, 4]
    backoff.worked(worked_seconds)
    assert backoff.next_seconds() == expected


def test_a_reset_starts_again() -> None:
    backoff = Backoff(0.5, 30.0, chance=lambda: 0.0)
    waits(backoff, 5)
    backoff.reset()
    assert waits(backoff, 2) == [0.5, 1]


@given(
    first=st.floats(0.01, 100),
    factor=st.floats(1, 1000),
    chances=st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=30),
)
def test_no_wait_is_shorter_than_the_first_nor_much_longer_than_the_longest(
    first: float, factor: float, chances: list[float]
) -> None:
    numbers = iter(chances)
    backoff = Backoff(first, first * factor, chance=lambda: next(numbers))
    for wait in waits(backoff, len(chances)):
        assert first <= wait <= first * factor * (1 + JITTER)


def test_many_boards_do_not_wait_in_step() -> None:
    assert len({Backoff(1.0, 30.0).next_seconds() for _ in range(20)}) > 1


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
