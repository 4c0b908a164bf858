"""What holds for every source alike, read by the reader of the camera as the service reads it."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from maskwatch_edge.cameras.camera import CameraReader
from maskwatch_edge.cameras.fake_camera import MARK_PX, FakeCamera
from maskwatch_edge.cameras.fake_network_camera import FakeNetworkCamera
from maskwatch_edge.cameras.fake_picamera2 import FakePicamera2
from maskwatch_edge.cameras.sources import FrameSource, open_camera
from maskwatch_edge.cameras.state import CameraState
from maskwatch_edge.config import CameraConfig
from maskwatch_edge.errors import SourceError
from maskwatch_edge.frame import Frame, Pixels
from maskwatch_edge.pictures import write_picture
from maskwatch_edge.video import VideoWriter

from .conftest import PATIENCE_SECONDS, next_frame

ORANGE = (200, 100, 50)
DEVICE = Path("/dev/video0")
CONFIG = CameraConfig(
    width_px=64, height_px=48, retry_first_seconds=0.01, retry_longest_seconds=0.05
)


@dataclass
class Door:
    """A way to a camera: how it is opened, and the camera behind it, None for a real one."""

    config: CameraConfig
    open_source: Callable[[CameraConfig], FrameSource] = open_camera
    camera: FakeCamera | None = None


def orange(width: int = 64, height: int = 48) -> Pixels:
    return np.full((height, width, 3), ORANGE, dtype=np.uint8)


def is_orange(frame: Frame) -> bool:
    """Tell whether a frame is orange but for the mark in its corner, as far as JPEG keeps it."""
    middle = frame.pixels[MARK_PX:, MARK_PX:].astype(int)
    return bool(np.abs(middle - ORANGE).max() < 25)


def fake_door(stack: ExitStack, patch: pytest.MonkeyPatch) -> Door:
    camera = FakeCamera()
    return Door(CONFIG, camera.open, camera)


def network_door(stack: ExitStack, patch: pytest.MonkeyPatch) -> Door:
    camera = FakeCamera(is_shared=True)
    server = stack.enter_context(FakeNetworkCamera(camera))
    return Door(replace(CONFIG, source=server.address), camera=camera)


def pi_door(stack: ExitStack, patch: pytest.MonkeyPatch) -> Door:
    camera = FakeCamera()
    library = ModuleType("picamera2")
    library.Picamera2 = FakePicamera2.of(camera)  # type: ignore[attr-defined]
    patch.setitem(sys.modules, "picamera2", library)
    return Door(replace(CONFIG, source="picamera2", stall_seconds=0.5), camera=camera)


def device_door(stack: ExitStack, patch: pytest.MonkeyPatch) -> Door:
    if not DEVICE.exists():
        pytest.skip(f"needs a V4L2 camera at {DEVICE}, which is not here")
    return Door(replace(CONFIG, source=str(DEVICE), width_px=640, height_px=480))


FAKE_DOORS = [fake_door, network_door, pi_door]


@pytest.fixture
def door(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    """Give one way to a camera after the other."""
    with ExitStack() as stack:
        opened: Door = request.param(stack, monkeypatch)
        if opened.camera is not None:
            opened.camera.show(orange())
        yield opened


every_camera = pytest.mark.parametrize("door", [*FAKE_DOORS, device_door], indirect=True)
every_fake_camera = pytest.mark.parametrize("door", FAKE_DOORS, indirect=True)


def see_state(reader: CameraReader, state: CameraState) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while reader.state is not state:
        reader.newest(0.01)
        assert time.monotonic() < deadline, (reader.state, reader.last_error)


@every_camera
def test_a_camera_gives_ever_newer_frames_each_once(door: Door) -> None:
    began = time.monotonic()
    with CameraReader(door.config, door.open_source) as reader:
        frames = [next_frame(reader) for _ in range(5)]
        assert reader.state is CameraState.SEEING
    assert all(one.number < two.number for one, two in pairwise(frames))
    times = [began, *(frame.time_seconds for frame in frames), time.monotonic()]
    assert times == sorted(times)
    assert all(frame.pixels.ndim == 3 and frame.pixels.shape[2] == 3 for frame in frames)
    assert frames[0].frames_per_second is not None


@every_camera
def test_a_camera_is_let_go_of_and_can_be_opened_again(door: Door) -> None:
    threads = threading.active_count()
    for _ in range(2):
        reader = CameraReader(door.config, door.open_source)
        next_frame(reader)
        reader.close()
        reader.close()
        assert reader.newest(PATIENCE_SECONDS) is None
        assert reader.state is CameraState.ENDED
    # A network camera notices when it sends the next picture, and its thread ends after that.
    wait_until(lambda: door.camera is None or not door.camera.sources)
    wait_until(lambda: threading.active_count() <= threads)


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@every_fake_camera
def test_every_camera_gives_rgb_in_the_size_that_it_has(door: Door) -> None:
    with CameraReader(door.config, door.open_source) as reader:
        frame = next_frame(reader)
    assert is_orange(frame)
    assert (frame.width, frame.height) == (64, 48)


@every_fake_camera
def test_a_camera_that_is_pulled_is_lost_and_comes_back_when_it_is_plugged(door: Door) -> None:
    assert door.camera is not None
    with CameraReader(door.config, door.open_source) as reader:
        before = next_frame(reader)
        for times in (1, 2):
            door.camera.pull()
            see_state(reader, CameraState.LOST)
            assert reader.last_error
            door.camera.plug()
            after = next_frame(reader)
            assert reader.state is CameraState.SEEING
            assert reader.reconnects >= times
            assert after.number > before.number
            assert is_orange(after)


@every_fake_camera
def test_a_camera_that_is_not_there_at_the_start_is_waited_for(door: Door) -> None:
    assert door.camera is not None
    door.camera.pull()
    with CameraReader(door.config, door.open_source) as reader:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while reader.last_error is None:
            assert reader.newest(0.01) is None
            assert time.monotonic() < deadline
        assert reader.state is CameraState.WAITING
        door.camera.plug()
        next_frame(reader)
        assert reader.reconnects == 0


@every_fake_camera
def test_a_camera_that_freezes_is_lost_until_its_picture_changes(door: Door) -> None:
    assert door.camera is not None
    config = replace(door.config, stall_seconds=0.5)
    with CameraReader(config, door.open_source) as reader:
        next_frame(reader)
        door.camera.freeze()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while "very same picture" not in str(reader.last_error):
            reader.newest(0.01)
            assert time.monotonic() < deadline
        door.camera.thaw()
        next_frame(reader)
        assert reader.state is CameraState.SEEING


@every_fake_camera
def test_a_hundred_times_unplugged_no_camera_leaks(door: Door) -> None:
    assert door.camera is not None
    config = replace(door.config, stall_seconds=0.01) if "pi" in door.config.source else door.config
    with CameraReader(config, door.open_source) as reader:
        next_frame(reader)
        threads, descriptors = threading.active_count(), count_descriptors()
        for _ in range(100):
            door.camera.pull()
            see_state(reader, CameraState.LOST)
            door.camera.plug()
            next_frame(reader)
        assert reader.reconnects >= 100
        assert reader.hung == 0
        # Some more: those of the network camera's side, which ends when it likes.
        wait_until(lambda: threading.active_count() <= threads + 2)
        wait_until(lambda: count_descriptors() <= descriptors + 4)


def count_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


# Files


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """Fill a folder: two pictures, and between them a video of 20 frames."""
    write_picture(tmp_path / "a.png", orange())
    with VideoWriter(tmp_path / "b.mp4", 10) as writer:
        for _ in range(20):
            writer.write(orange())
    write_picture(tmp_path / "c.jpg", orange())
    return tmp_path


FILES = {"a.png": 1, "b.mp4": 20, ".": 22}


@pytest.mark.parametrize(("name", "count"), FILES.items())
@pytest.mark.parametrize("pause_seconds", [0.0, 0.01], ids=["quick", "slow"])
def test_a_file_gives_every_frame_in_order_however_slowly_they_are_taken(
    album: Path, name: str, count: int, pause_seconds: float
) -> None:
    frames: list[Frame] = []
    with CameraReader(CameraConfig(source=str(album / name))) as reader:
        while reader.state is not CameraState.ENDED:
            if frame := reader.newest(PATIENCE_SECONDS):
                frames.append(frame)
            time.sleep(pause_seconds)
        assert reader.newest(PATIENCE_SECONDS) is None  # at once
    places = [(frame.source, frame.number) for frame in frames]
    assert len(places) == count
    assert places == sorted(set(places))
    assert all(is_orange(frame) for frame in frames)


def test_a_file_that_is_left_early_lets_go(album: Path) -> None:
    threads = threading.active_count()
    reader = CameraReader(CameraConfig(source=str(album / "b.mp4")))
    assert reader.newest(PATIENCE_SECONDS) is not None
    reader.close()
    assert threading.active_count() == threads


@pytest.mark.parametrize("name", ["nowhere.mp4", "empty.mp4", "broken.jpg", "empty_folder"])
def test_a_file_that_cannot_be_read_is_told_and_not_waited_for(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "broken.jpg").write_text("Dear all,")
    (tmp_path / "empty_folder").mkdir()
    with (
        CameraReader(CameraConfig(source=str(tmp_path / name))) as reader,
        pytest.raises(SourceError, match=name),
    ):
        reader.newest(PATIENCE_SECONDS)
