"""What the comparing benchmarks do with what they measured, and a short watch by the soak."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from benchmarks.compare import case, people_found
from benchmarks.measuring import Cost, Spread, interleaved, summary
from benchmarks.scenes import HEADS_XYXY, clip, crowd
from benchmarks.soak import SETTLED, Sample, door, grown, watch
from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.frame import Frame


def test_every_case_is_measured_once_a_round_and_in_turn() -> None:
    order: list[str] = []

    def measure(name: str) -> Callable[[], Cost]:
        return lambda: order.append(name) or Cost(1.0, 2.0)  # type: ignore[func-returns-value]

    costs = interleaved({"a": measure("a"), "b": measure("b")}, rounds=2, warm_ups=1)
    assert order == ["a", "b"] * 3
    assert {name: len(each) for name, each in costs.items()} == {"a": 2, "b": 2}


def test_ratios_are_taken_round_by_round() -> None:
    costs = {"new": [Cost(1.0, 1.0), Cost(10.0, 5.0)], "old": [Cost(3.0, 2.0), Cost(20.0, 5.0)]}
    figures = summary(costs, "new")
    assert figures["old"]["wall_ratio"] == Spread(2.5, 2.0, 3.0)
    assert figures["old"]["cpu_ratio"] == Spread(1.5, 1.0, 2.0)
    assert figures["new"]["wall_ratio"] == Spread(1.0, 1.0, 1.0)


def test_people_are_counted_where_their_heads_are() -> None:
    reel = clip(3)
    left = FaceBox(*HEADS_XYXY[0])
    elsewhere = FaceBox(300, 400, 340, 440)

    def look(frame: Frame) -> list[FaceBox]:
        return [elsewhere] if frame is reel.frames[0] else [left, elsewhere]

    assert people_found(look, reel) == 2
    assert case(look, reel)().wall_ms >= 0


@pytest.mark.parametrize("faces", [0, 1, 7, 32])
def test_a_crowd_is_as_large_as_the_camera_sees_it(faces: int) -> None:
    (frame, *_) = crowd(clip(2), faces).frames
    assert frame.pixels.shape == (480, 640, 3)
    assert (frame.pixels != 128).any() == (faces > 0)


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
