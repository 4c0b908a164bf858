"""A short watch by the soak, and what it says of a process that holds more and more."""

from __future__ import annotations

from itertools import pairwise

import pytest

from benchmarks.soak import SETTLED, Sample, door, grown, watch

FLAT = [Sample(number, 100.0, 9, 2) for number in range(SETTLED + 3)]


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (Sample(99, 101.0, 9, 2), []),
        (Sample(99, 90.0, 7, 1), []),
        (Sample(99, 103.0, 9, 2), ["memory grew from 100.0 to 103.0 MB"]),
        (Sample(99, 100.0, 10, 2), ["open files grew from 9 to 10"]),
        (Sample(99, 100.0, 9, 3), ["threads grew from 2 to 3"]),
    ],
)
def test_what_grew_is_told(last: Sample, expected: list[str]) -> None:
    assert grown([Sample(0, 10.0, 3, 1), *FLAT, last]) == expected


def test_a_watch_looks_at_the_process_now_and_then() -> None:
    samples = watch(40)
    assert [each.frames for each in samples] == list(range(2, 41, 2))
    assert all(each.rss_mb > 10 and each.files > 2 for each in samples)


def test_in_front_of_the_door_are_people_and_then_nobody() -> None:
    frames = door().frames
    assert len({frame.source for frame in frames}) == 1
    assert not any(one.pixels is other.pixels for one, other in pairwise(frames))
