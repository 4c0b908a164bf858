"""The fake camera has the faults of a real one, and refuses what a real one refuses."""

from __future__ import annotations

import time
from collections.abc import Iterator
from threading import Thread

import numpy as np
import pytest

from maskwatch_edge.cameras.fake_camera import MARK_PX, FakeCamera, FakeSource
from maskwatch_edge.cameras.fake_network_camera import FakeNetworkCamera
from maskwatch_edge.cameras.sources import open_source
from maskwatch_edge.errors import SourceError
from maskwatch_edge.frame import Frame


@pytest.fixture
def camera() -> FakeCamera:
    return FakeCamera()


def take(source: FakeSource, count: int) -> list[Frame]:
    frames = source.frames()
    return [next(frames) for _ in range(count)]


def are_same(frames: list[Frame]) -> bool:
    return all(np.array_equal(frames[0].pixels, frame.pixels) for frame in frames)


def test_it_gives_numbered_pictures_that_differ(camera: FakeCamera) -> None:
    with camera.open() as source:
        frames = take(source, 3)
    assert [frame.number for frame in frames] == [0, 1, 2]
    assert [(frame.width, frame.height) for frame in frames] == [(64, 48)] * 3
    assert not np.array_equal(frames[0].pixels, frames[1].pixels)
    assert not np.array_equal(frames[1].pixels, frames[2].pixels)
    assert frames[0].time_seconds <= frames[1].time_seconds <= time.monotonic()


def test_it_shows_what_is_in_front_of_it(camera: FakeCamera) -> None:
    camera.show(np.full((30, 40, 3), (200, 100, 50), dtype=np.uint8))
    with camera.open() as source:
        (frame,) = take(source, 1)
    assert (frame.width, frame.height) == (40, 30)
    assert (frame.pixels[MARK_PX:] == (200, 100, 50)).all()


def test_a_pulled_camera_cannot_be_read_nor_opened_until_it_is_plugged(camera: FakeCamera) -> None:
    source = camera.open()
    camera.pull()
    with pytest.raises(SourceError, match="it was pulled"):
        take(source, 1)
    with pytest.raises(SourceError, match="there is no camera"):
        camera.open()
    camera.plug()
    with pytest.raises(SourceError, match="it was pulled"):  # what was open stays dead
        take(source, 1)
    with camera.open() as again:
        assert len(take(again, 2)) == 2


def test_whoever_waits_for_a_picture_is_told_at_once_that_it_was_pulled() -> None:
    camera = FakeCamera(period_seconds=None)
    source = camera.open()
    told: list[str] = []

    def read() -> None:
        try:
            take(source, 1)
        except SourceError as error:
            told.append(str(error))

    thread = Thread(target=read)
    thread.start()
    camera.pull()
    thread.join(timeout=60)
    assert len(told) == 1


def test_it_is_opened_once_at_a_time_unless_it_is_shared(camera: FakeCamera) -> None:
    with camera.open(), pytest.raises(SourceError, match="another program"):
        camera.open()
    with camera.open():
        assert camera.sources == 1
    assert (camera.sources, camera.opened) == (0, 2)
    shared = FakeCamera(is_shared=True)
    with shared.open(), shared.open():
        assert shared.sources == 2


def test_a_closed_source_refuses_to_be_read(camera: FakeCamera) -> None:
    source = camera.open()
    source.close()
    source.close()
    with pytest.raises(ValueError, match="it was closed"):
        take(source, 1)


def test_frozen_it_gives_one_picture_over_and_over(camera: FakeCamera) -> None:
    with camera.open() as source:
        camera.freeze()
        assert are_same(take(source, 4))
        camera.thaw()
        assert not are_same(take(source, 2))


def test_noise_is_noise_every_time(camera: FakeCamera) -> None:
    camera.give_noise()
    with camera.open() as source:
        one, two = take(source, 2)
    assert one.pixels.std() > 50
    assert np.abs(one.pixels.astype(int) - two.pixels).mean() > 50


def test_the_size_changes_in_mid_stream(camera: FakeCamera) -> None:
    with camera.open() as source:
        frames = source.frames()
        before = next(frames)
        camera.resize(96, 40)
        after = next(frames)
    assert (before.width, before.height, after.width, after.height) == (64, 48, 96, 40)


def test_hung_it_does_not_return_until_it_recovers(camera: FakeCamera) -> None:
    camera.hang()
    frames: list[Frame] = []
    with camera.open() as source:
        thread = Thread(target=lambda: frames.extend(take(source, 1)))
        thread.start()
        thread.join(timeout=0.1)
        assert thread.is_alive()
        camera.recover()
        thread.join(timeout=60)
    assert len(frames) == 1


def test_with_a_shutter_only_the_last_picture_is_kept_for_whoever_comes_late() -> None:
    camera = FakeCamera(period_seconds=None)
    with camera.open() as source:
        for _ in range(5):
            camera.shoot()
        assert len(take(source, 1)) == 1
        camera.shoot()
        assert len(take(source, 1)) == 1
    assert camera.given == 2


def test_a_slow_camera_is_slow_and_a_change_of_pace_holds_at_once(camera: FakeCamera) -> None:
    camera.slow(0.05)
    with camera.open() as source:
        started = time.monotonic()
        take(source, 3)
        assert time.monotonic() - started >= 0.15
        camera.slow(3600)
        thread = Thread(target=lambda: take(source, 1))
        thread.start()
        camera.slow(0.001)
        thread.join(timeout=60)
        assert not thread.is_alive()


@pytest.fixture
def network() -> Iterator[FakeNetworkCamera]:
    with FakeNetworkCamera(FakeCamera(is_shared=True)) as camera:
        yield camera


def test_a_network_camera_streams_over_http(network: FakeNetworkCamera) -> None:
    with open_source(network.address) as source:
        frames = source.frames()
        pictures = [next(frames).pixels for _ in range(3)]
    assert [picture.shape for picture in pictures] == [(48, 64, 3)] * 3


def test_a_network_camera_may_be_closed_twice_and_must_be_shared() -> None:
    camera = FakeNetworkCamera(FakeCamera(is_shared=True))
    camera.close()
    camera.close()
    with pytest.raises(ValueError, match="is_shared=True"):
        FakeNetworkCamera(FakeCamera())
