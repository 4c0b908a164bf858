"""What a soak takes for growth."""

from __future__ import annotations

import pytest

from benchmarks.soak import Sample, growths


def flat(count: int = 40) -> list[Sample]:
    return [Sample(100 * n, 90.0 + n % 2, 8, 2) for n in range(1, count + 1)]


@pytest.mark.parametrize(
    ("last", "wrong"),
    [
        (Sample(4000, 90.0, 8, 2), []),
        (Sample(4000, 95.0, 8, 2), ["rss_mb grew from 91 to 95"]),
        (Sample(4000, 90.0, 9, 2), ["files grew from 8 to 9"]),
        (Sample(4000, 90.0, 8, 3), ["threads grew from 2 to 3"]),
    ],
)
def test_what_is_held_more_of_in_the_second_half_is_told(last: Sample, wrong: list[str]) -> None:
    assert growths([*flat(39), last]) == wrong


def test_a_warm_up_may_take_what_it_needs() -> None:
    samples = flat()
    samples[0] = Sample(100, 10.0, 8, 2)
    assert growths(samples) == []
