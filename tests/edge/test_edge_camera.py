"""The reader of the camera, in good and in bad times; where waiting matters its clock is moved."""

from __future__ import annotations

import gc
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Lock

import cv2
import numpy as np
import pytest

from maskwatch_edge.backoff import JITTER
from maskwatch_edge.cameras.camera import HUNG_SECONDS, MOST_HUNG, CameraReader
from maskwatch_edge.cameras.fake_camera import FakeCamera, FakeSource
from maskwatch_edge.cameras.reading import OPENING_SECONDS
from maskwatch_edge.cameras.state import CameraState
from maskwatch_edge.config import CameraConfig
from maskwatch_edge.errors import MissingExtraError, SourceError
from maskwatch_edge.faults import Fault, Notice
from maskwatch_edge.frame import Frame

from .conftest import PATIENCE_SECONDS, next_frame

SEEING, WAITING, LOST, ENDED = (
    CameraState.SEEING,
    CameraState.WAITING,
    CameraState.LOST,
    CameraState.ENDED,
)
CONFIG = CameraConfig(stall_seconds=5.0, retry_first_seconds=0.5, retry_longest_seconds=30.0)
"""How long a busy machine may take for what takes milliseconds."""


class FakeTime:
    """A clock that moves when it is told, and when somebody waits."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._now = 1000.0

    def __call__(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        with self._lock:
            self._now += seconds

    def wait(self, over: Event, seconds: float) -> None:
        self.advance(seconds)
        over.wait(0.0005)  # lets the other threads run


Start = Callable[..., CameraReader]


@pytest.fixture
def clock() -> FakeTime:
    return FakeTime()


@pytest.fixture
def notices() -> list[Notice]:
    return []


@pytest.fixture
def start(clock: FakeTime, notices: list[Notice]) -> Iterator[Start]:
    """Give a function that starts a reader on the fake clock; it is closed at the end."""
    readers: list[CameraReader] = []

    def begin(
        open_source: Callable[[CameraConfig], FakeSource], **others: Callable[[str], bool]
    ) -> CameraReader:
        reader = CameraReader(
            CONFIG, open_source, clock, wait=clock.wait, warn=notices.append, **others
        )
        readers.append(reader)
        return reader

    yield begin
    for reader in readers:
        reader.close()


@pytest.fixture
def shutter(start: Start) -> Iterator[FakeCamera]:
    """Give a camera that takes a picture when it is told; pulled at the end, as nobody tells it."""
    camera = FakeCamera(period_seconds=None)
    yield camera
    camera.pull()


def until(is_true: Callable[[], bool]) -> None:
    """Wait for another thread."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_true():
        assert time.monotonic() < deadline, "it does not come true"
        time.sleep(0.0005)


def see_state(reader: CameraReader, state: CameraState) -> None:
    """Turn as the service does until the reader is in that state."""

    def turn() -> bool:
        reader.newest(0.001)
        return reader.state is state

    until(turn)


# What is handed over


def test_a_frame_is_handed_over_once_and_only_the_newest(start: Start, shutter: FakeCamera) -> None:
    reader = start(shutter.open)
    for _ in range(3):
        shoot(shutter)
    frame = reader.newest(0.0)
    assert frame is not None
    assert frame.number == 2
    assert reader.newest(0.01) is None
    shoot(shutter)
    assert next_frame(reader).number == 3


def shoot(camera: FakeCamera) -> None:
    """Take a picture, and wait until it was handed over and the next is waited for."""
    until(lambda: bool(camera.awaited))
    given = camera.given
    camera.shoot()
    until(lambda: camera.given > given and bool(camera.awaited))


def test_numbers_and_times_only_ever_grow_also_through_reconnections(start: Start) -> None:
    camera = FakeCamera()
    reader = start(camera.open)
    seen: list[Frame] = []
    for _ in range(5):
        seen += [next_frame(reader) for _ in range(3)]
        camera.pull()
        see_state(reader, LOST)
        camera.plug()
    numbers = [frame.number for frame in seen]
    assert numbers == sorted(set(numbers))
    assert [frame.time_seconds for frame in seen] == sorted(frame.time_seconds for frame in seen)


def test_a_frame_from_before_the_loss_is_not_handed_over_after_it(
    start: Start, shutter: FakeCamera
) -> None:
    reader = start(shutter.open)
    shoot(shutter)
    assert reader.state is SEEING
    shutter.pull()
    until(lambda: reader.state is LOST)
    assert reader.newest(0.0) is None


def test_a_size_that_changes_in_mid_stream_is_fine(start: Start) -> None:
    camera = FakeCamera()
    reader = start(camera.open)
    assert next_frame(reader).width == 64
    camera.resize(96, 40)
    until(lambda: next_frame(reader).width == 96)
    assert reader.state is SEEING
    assert reader.reconnects == 0


def test_noise_is_a_picture(start: Start) -> None:
    camera = FakeCamera()
    camera.give_noise()
    reader = start(camera.open)
    assert next_frame(reader).pixels.std() > 50


def test_newest_waits_no_longer_than_it_is_told(start: Start, shutter: FakeCamera) -> None:
    reader = start(shutter.open)
    started = time.monotonic()
    assert reader.newest(0.05) is None
    assert 0.05 <= time.monotonic() - started < PATIENCE_SECONDS


# Lost and found


def test_no_camera_at_the_start_is_waited_for(start: Start) -> None:
    camera = FakeCamera()
    camera.pull()
    reader = start(camera.open)
    until(lambda: reader.last_error is not None)
    assert reader.state is WAITING
    assert reader.last_error == "there is no camera; it was pulled"
    camera.plug()
    next_frame(reader)
    assert reader.state is SEEING
    assert reader.reconnects == 0


def test_a_pulled_camera_is_lost_until_it_is_plugged(start: Start, clock: FakeTime) -> None:
    camera = FakeCamera()
    reader = start(camera.open)
    next_frame(reader)
    since = reader.state_since_seconds
    clock.advance(60)
    camera.pull()
    see_state(reader, LOST)
    assert reader.state_since_seconds >= since + 60
    camera.plug()
    next_frame(reader)
    assert (reader.state, reader.reconnects) == (SEEING, 1)


def test_a_lost_camera_is_tried_again_after_waits_that_double(
    start: Start, clock: FakeTime
) -> None:
    tries: list[float] = []

    def refuse(config: CameraConfig) -> FakeSource:
        tries.append(clock())
        raise SourceError("no")

    reader = start(refuse)
    until(lambda: len(tries) > 10)
    reader.close()
    waits = np.diff(tries)[:9]
    shortest = np.array([0.5, 1, 2, 4, 8, 16, 30, 30, 30])
    assert (waits >= shortest - 1e-6).all()
    assert (waits <= shortest * (1 + JITTER) + 1e-6).all()


def test_a_camera_with_a_loose_contact_is_tried_less_and_less_often(
    start: Start, clock: FakeTime
) -> None:
    camera = FakeCamera(is_shared=True)
    tries: list[float] = []

    def open_and_pull(config: CameraConfig) -> FakeSource:
        tries.append(clock())
        camera.plug()
        source = camera.open()
        frames = source.frames()
        source.frames = lambda: iter([next(frames)])  # type: ignore[method-assign]
        return source

    reader = start(open_and_pull)
    until(lambda: len(tries) > 8)
    reader.close()
    assert np.diff(tries)[6] >= 30.0


def test_a_camera_that_is_plugged_in_is_tried_at_once(clock: FakeTime) -> None:
    camera = FakeCamera()
    camera.pull()
    lost = Event()

    def is_plugged(name: str) -> bool:
        assert name == CONFIG.source
        return camera.is_plugged

    def wait(over: Event, seconds: float) -> None:
        clock.wait(over, seconds)
        if clock() > 1010.0 and not camera.is_plugged:  # in the middle of the wait of 8 s
            camera.plug()
            lost.set()

    with CameraReader(CONFIG, camera.open, clock, wait=wait, is_plugged=is_plugged) as reader:
        next_frame(reader)
    assert lost.is_set()
    assert clock() < 1011.0


# Stalls


def test_a_camera_that_gives_no_frames_is_lost_after_the_stall_and_seen_when_it_goes_on(
    start: Start, clock: FakeTime, shutter: FakeCamera
) -> None:
    reader = start(shutter.open)
    shoot(shutter)
    next_frame(reader)
    clock.advance(4.9)
    reader.newest(0.0)
    assert reader.state is SEEING
    clock.advance(0.2)
    reader.newest(0.0)
    assert reader.state is LOST
    assert "does not answer" in str(reader.last_error)
    shoot(shutter)
    next_frame(reader)
    assert (reader.state, reader.reconnects, shutter.opened) == (SEEING, 1, 1)


def test_a_camera_that_hangs_is_left_behind_and_opened_anew(
    start: Start, clock: FakeTime, notices: list[Notice]
) -> None:
    cameras = [FakeCamera(), FakeCamera()]
    opened = iter(cameras)
    reader = start(lambda config: next(opened).open())
    next_frame(reader)
    cameras[0].hang()
    hang(reader, clock)
    assert reader.hung == 1
    stuck, lost = notices
    assert lost.fault is Fault.CAMERA_LOST
    assert "does not answer" in lost.message
    assert stuck.fault is Fault.CAMERA_STUCK
    assert "does not return, so its thread is left behind (1 of at most 4)" in stuck.message
    next_frame(reader)
    assert reader.state is SEEING
    assert reader.reconnects >= 1

    before = next_frame(reader).number
    cameras[0].recover()  # what comes out of it now is old and dropped
    until(lambda: reader.hung == 0)
    assert cameras[0].sources == 0  # and it let go of its camera
    assert next_frame(reader).number > before


def hang(reader: CameraReader, clock: FakeTime) -> None:
    """Let so much time pass that a thread in a call is left behind."""
    hung = reader.hung
    until(lambda: leave_behind(reader, clock) and reader.hung > hung)


def leave_behind(reader: CameraReader, clock: FakeTime) -> bool:
    clock.advance(OPENING_SECONDS + HUNG_SECONDS)
    reader.newest(0.001)
    return True


def test_a_camera_that_is_held_by_a_hung_thread_is_back_once_that_returns(
    start: Start, clock: FakeTime
) -> None:
    camera = FakeCamera()  # like V4L2, it can be opened only once
    reader = start(camera.open)
    next_frame(reader)
    camera.hang()
    hang(reader, clock)
    until(lambda: "another program" in str(reader.last_error))
    assert reader.state is LOST
    camera.recover()
    next_frame(reader)
    assert camera.opened == 2


def test_no_more_than_a_few_threads_are_left_behind_and_the_camera_comes_back(
    start: Start, clock: FakeTime, notices: list[Notice]
) -> None:
    camera = FakeCamera(is_shared=True)
    reader = start(camera.open)
    next_frame(reader)
    camera.hang()
    for _ in range(MOST_HUNG):
        hang(reader, clock)
    for _ in range(20):
        leave_behind(reader, clock)
    assert reader.hung == MOST_HUNG
    assert camera.opened == MOST_HUNG
    stuck = [notice for notice in notices if notice.fault is Fault.CAMERA_STUCK]
    assert len(stuck) == MOST_HUNG
    assert "left alone until one of them returns" in stuck[-1].message
    camera.recover()
    next_frame(reader)
    until(lambda: reader.hung == 0)
    assert reader.state is SEEING


def test_opening_and_closing_may_hang_too(start: Start, clock: FakeTime) -> None:
    release = Event()
    camera = FakeCamera(is_shared=True)

    def hang_once(config: CameraConfig) -> FakeSource:
        if camera.opened == 0:
            source = camera.open()
            release.wait()  # opening
            return source
        if camera.opened == 1:
            source = camera.open()
            source.close = release.wait  # type: ignore[assignment,method-assign]
            return source
        return camera.open()

    reader = start(hang_once)
    until(lambda: camera.opened == 1)
    hang(reader, clock)
    next_frame(reader)
    camera.pull()
    camera.plug()
    hang(reader, clock)
    next_frame(reader)
    assert (reader.hung, camera.opened) == (2, 3)
    release.set()
    until(lambda: reader.hung == 0)


def test_a_frozen_picture_is_a_loss_and_does_not_count_as_seeing_until_it_changes(
    start: Start, clock: FakeTime
) -> None:
    camera = FakeCamera()
    reader = start(camera.open)
    next_frame(reader)
    camera.freeze()
    next_frame(reader)
    next_frame(reader)
    assert reader.state is SEEING  # not yet
    clock.advance(5.1)
    see_state(reader, LOST)
    until(lambda: "very same picture" in str(reader.last_error))
    opened = camera.opened
    until(lambda: see_nothing(reader, clock) and camera.opened > opened + 3)
    camera.thaw()
    next_frame(reader)
    assert (reader.state, reader.reconnects) == (SEEING, 1)


def see_nothing(reader: CameraReader, clock: FakeTime) -> bool:
    """Let a second pass in which there is nothing to see."""
    clock.advance(1.0)
    assert reader.newest(0.001) is None
    assert reader.state is LOST
    return True


# The end, and errors


def test_closing_ends_the_thread_and_lets_go_of_the_camera() -> None:
    camera = FakeCamera()
    before = threading.active_count()
    reader = CameraReader(CONFIG, camera.open)
    next_frame(reader)
    reader.close()
    reader.close()
    assert reader.state is ENDED
    assert reader.newest(PATIENCE_SECONDS) is None  # at once
    assert (camera.sources, threading.active_count()) == (0, before)


def test_closing_ends_a_long_wait_for_the_camera() -> None:
    camera = FakeCamera()
    camera.pull()
    config = CameraConfig(retry_first_seconds=3600.0, retry_longest_seconds=3600.0)
    before = threading.active_count()
    reader = CameraReader(config, camera.open)
    until(lambda: reader.last_error is not None)
    reader.close()
    assert threading.active_count() == before


def test_closing_does_not_wait_for_a_camera_that_hangs(
    monkeypatch: pytest.MonkeyPatch, notices: list[Notice]
) -> None:
    monkeypatch.setattr("maskwatch_edge.cameras.camera.CLOSE_SECONDS", 0.1)
    camera = FakeCamera()
    camera.hang()
    reader = CameraReader(CONFIG, camera.open, warn=notices.append)
    until(lambda: camera.sources == 1)
    reader.close()
    reader.close()
    (notice,) = notices
    assert notice.fault is Fault.CAMERA_STUCK
    assert "does not end" in notice.message
    assert reader.state is ENDED
    camera.recover()
    until(lambda: reader.hung == 0)


def test_a_missing_package_is_told_at_once_as_no_waiting_brings_it(start: Start) -> None:
    def lack(config: CameraConfig) -> FakeSource:
        raise MissingExtraError("picamera2", "pi")

    reader = start(lack)
    for _ in range(2):
        with pytest.raises(MissingExtraError, match="picamera2"):
            reader.newest(PATIENCE_SECONDS)
    assert "picamera2" in str(reader.last_error)


# For a year


def count_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_thousand_times_unplugged_nothing_leaks(start: Start, notices: list[Notice]) -> None:
    camera = FakeCamera()
    reader = start(camera.open, is_plugged=lambda name: camera.is_plugged)
    gc.collect()
    threads, descriptors = threading.active_count(), count_descriptors()
    tracemalloc.start()
    try:
        unplug(reader, camera, 100)  # whatever is kept for good is there after this
        before, _ = tracemalloc.get_traced_memory()
        unplug(reader, camera, 900)
        assert len(notices) == 1999
        notices.clear()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (reader.reconnects, camera.opened) == (999, 1000)
    assert (threading.active_count(), count_descriptors()) == (threads, descriptors)
    assert after - before < 50_000  # bytes: not one for each of the pictures, 9 KB each
    assert reader.hung == 0


def unplug(reader: CameraReader, camera: FakeCamera, times: int) -> None:
    for _ in range(times):
        camera.plug()
        next_frame(reader)
        camera.pull()
        see_state(reader, LOST)


def test_a_hundred_times_hung_no_thread_is_left_for_good(start: Start, clock: FakeTime) -> None:
    camera = FakeCamera(is_shared=True)
    reader = start(camera.open)
    threads, descriptors = threading.active_count(), count_descriptors()
    for _ in range(100):
        next_frame(reader)
        camera.hang()
        hang(reader, clock)
        camera.recover()
        until(lambda: reader.hung == 0)
    next_frame(reader)
    assert (threading.active_count(), count_descriptors()) == (threads, descriptors)
    assert camera.sources == 1


def test_a_camera_that_is_away_is_told_once_with_the_reason_and_so_is_its_return(
    start: Start, clock: FakeTime, notices: list[Notice]
) -> None:
    camera = FakeCamera()
    reader = start(camera.open)
    next_frame(reader)
    assert notices == []
    for _ in range(2):
        camera.pull()
        until(lambda: reader.newest(0.0) is None and reader.state is LOST)
        reader.newest(0.0)
        camera.plug()
        next_frame(reader)
    reason = "the camera stopped giving pictures; it was pulled"
    gone = Fault.CAMERA_LOST.begun(f"no pictures from the camera: {reason}")
    assert notices == [gone, Fault.CAMERA_LOST.ended("pictures come from the camera")] * 2


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (cv2.error("out of memory"), "error in fake_camera.py, line "),
        (MemoryError(), "MemoryError in fake_camera.py, line "),
    ],
)
def test_what_a_driver_raises_is_a_fault_of_the_camera(
    start: Start, error: Exception, reason: str
) -> None:
    camera = FakeCamera()
    reader = start(camera.open)
    next_frame(reader)
    camera.break_down(error)
    see_state(reader, LOST)
    assert reader.last_error is not None
    assert reader.last_error.startswith(reason)
    camera.break_down(None)
    next_frame(reader)


@pytest.mark.parametrize("shape", [(48, 64), (48, 64, 4), (0, 64, 3)])
def test_a_picture_of_a_wrong_shape_is_a_fault_of_the_camera(
    start: Start, shape: tuple[int, ...]
) -> None:
    camera = FakeCamera()
    reader = start(camera.open)
    next_frame(reader)
    camera.show(np.zeros(shape, dtype=np.uint8))
    see_state(reader, LOST)
    assert reader.last_error is not None
    assert f"received uint8 of shape {shape}" in reader.last_error
    camera.show(np.zeros((48, 64, 3), dtype=np.uint8))
    next_frame(reader)
