"""What the benchmarks show."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.scenes import clip, crowd, empty_room, scaled, still
from maskwatch_edge.bench.replay import Reel
from maskwatch_edge.config import Config
from maskwatch_edge.finders import FaceFinder, open_finder


@pytest.fixture(scope="module")
def reel() -> Reel:
    return clip(3)


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    config = Config()
    return open_finder(config.faces, config.model)


@pytest.mark.parametrize("faces", [0, 1, 2, 8, 32])
def test_a_crowd_has_as_many_faces_as_were_asked_for(
    reel: Reel, finder: FaceFinder, faces: int
) -> None:
    picture = crowd(reel, faces, (1280, 720)).frames[0].pixels
    assert picture.shape == (720, 1280, 3)
    assert len(finder.find(picture)) == faces


def test_nobody_is_in_an_empty_room_and_its_pictures_differ(finder: FaceFinder) -> None:
    first, second = (frame.pixels for frame in empty_room(2).frames)
    assert first.shape == (480, 640, 3)
    assert finder.find(first) == []
    assert not np.array_equal(first, second)


def test_who_stands_still_differs_by_noise_alone(reel: Reel) -> None:
    first, second = (frame.pixels.astype(int) for frame in still(reel, 2).frames)
    assert 0 < np.abs(first - second).mean() < 4


def test_a_scaled_reel_has_the_size_and_the_times_of_before(reel: Reel) -> None:
    larger = scaled(reel, (1280, 960))
    assert {(frame.width, frame.height) for frame in larger.frames} == {(1280, 960)}
    assert [frame.number for frame in larger.frames] == [frame.number for frame in reel.frames]
