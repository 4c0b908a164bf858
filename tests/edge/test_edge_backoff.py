"""How long is waited before what failed is tried again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwatch_edge.backoff import JITTER, Backoff


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
