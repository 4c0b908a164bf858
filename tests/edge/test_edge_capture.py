"""How cameras and streams are opened through OpenCV.

The cameras are a stand-in for OpenCV's V4L2 part that does what OpenCV 4.11 and 4.14 were seen to
do with the kernel's virtual camera; the streams are real ones.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any, ClassVar

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from maskwatch_edge.cameras import capture
from maskwatch_edge.cameras.capture import cameras_by_id, open_device, with_target
from maskwatch_edge.cameras.sources import VideoSource, open_source
from maskwatch_edge.config import CameraConfig
from maskwatch_edge.errors import SourceError

SIZES = [(320, 240), (640, 480), (1280, 720)]
ORANGE_BGR = (50, 100, 200)


def code(name: str) -> int:
    return cv2.VideoWriter.fourcc(*name)


class FakeCapture:
    """Behaves as `cv2.VideoCapture` with V4L2.

    It starts with BGR3 and says that it took a pixel format also when it fell back to that; BGR3
    comes as one long row; width and height count once both are set, and become the nearest that
    there is; two buffers are the fewest.
    """

    offered: ClassVar[tuple[str, ...]] = ("BGR3", "YUYV", "MJPG")
    is_free: ClassVar[bool] = True
    asked: ClassVar[list[int]] = []

    def __init__(self, address: str, backend: int, parameters: list[int]) -> None:
        assert backend == cv2.CAP_V4L2
        assert parameters == []
        self.values: dict[int, float] = {
            cv2.CAP_PROP_FOURCC: code(self.offered[0]),
            cv2.CAP_PROP_FRAME_WIDTH: 640,
            cv2.CAP_PROP_FRAME_HEIGHT: 480,
            cv2.CAP_PROP_FPS: 30.0,
            cv2.CAP_PROP_BUFFERSIZE: 4,
        }

    def isOpened(self) -> bool:  # noqa: N802
        return self.is_free

    def get(self, what: int) -> float:
        return self.values[what]

    def set(self, what: int, value: float) -> bool:
        self.asked.append(what)
        if what == cv2.CAP_PROP_FOURCC and value not in [
            float(code(name)) for name in self.offered
        ]:
            value = code(self.offered[0])
        if what == cv2.CAP_PROP_BUFFERSIZE:
            value = max(value, 2)
        self.values[what] = value
        return True

    def grab(self) -> bool:
        return True

    def retrieve(self) -> tuple[bool, npt.NDArray[Any]]:
        wanted = self.values[cv2.CAP_PROP_FRAME_WIDTH], self.values[cv2.CAP_PROP_FRAME_HEIGHT]
        width, height = min(SIZES, key=lambda wh: abs(wh[0] - wanted[0]) + abs(wh[1] - wanted[1]))
        bgr = np.full((height, width, 3), ORANGE_BGR, dtype=np.uint8)
        is_flat = self.values[cv2.CAP_PROP_FOURCC] == code("BGR3")
        return True, bgr.reshape(1, -1) if is_flat else bgr

    def release(self) -> None:
        pass


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give the device file of a V4L2 camera."""
    monkeypatch.setattr(cv2, "VideoCapture", FakeCapture)
    monkeypatch.setattr(FakeCapture, "asked", [])
    monkeypatch.setattr("maskwatch_edge.cameras.addresses.DEVICE_PREFIX", str(tmp_path))
    path = tmp_path / "video0"
    path.touch()
    return str(path)


@pytest.mark.parametrize(
    ("offered", "taken"),
    [
        (("BGR3", "YUYV", "MJPG"), "MJPG"),
        (("BGR3", "YUYV"), "YUYV"),  # the kernel's virtual camera, and cheap ones
        (("NV12",), "NV12"),  # what there is
    ],
)
def test_mjpg_is_taken_where_it_is_offered_and_yuyv_where_not(
    device: str, monkeypatch: pytest.MonkeyPatch, offered: tuple[str, ...], taken: str
) -> None:
    monkeypatch.setattr(FakeCapture, "offered", offered)
    opened = open_device(device, CameraConfig())
    assert opened.get(cv2.CAP_PROP_FOURCC) == code(taken)
    with VideoSource(device, is_live=True) as source:
        frame = next(source.frames())
    assert frame.pixels[0, 0].tolist() == [200, 100, 50]
    assert (frame.width, frame.height) == (640, 480)


def test_the_wanted_size_and_rate_are_asked_for_and_the_fewest_buffers(device: str) -> None:
    wanted = CameraConfig(width_px=1280, height_px=700, frames_per_second=15.0)
    with open_source(device, camera=wanted) as source:
        frame = next(source.frames())
    assert (frame.width, frame.height) == (1280, 720)  # the nearest that it offers
    assert frame.frames_per_second == 15.0
    assert FakeCapture.asked[-1] == cv2.CAP_PROP_BUFFERSIZE


def test_what_is_no_picture_is_told_with_its_shape(
    device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeCapture, "offered", ("BGR3",))
    with (
        VideoSource(device, is_live=True) as source,
        pytest.raises(SourceError, match=r"uint8 of shape \(1, 921600\); expected .*MJPG or YUYV"),
    ):
        next(source.frames())


def test_a_camera_that_is_held_by_another_program_is_told(
    device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeCapture, "is_free", False)
    with pytest.raises(SourceError, match="video0; is another program using it"):
        open_device(device, CameraConfig())


def test_a_camera_that_this_user_may_not_open_is_told_with_what_mends_it(
    device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(SourceError, match=r"may not open .*usermod -aG video"):
        open_device(device, CameraConfig())


@pytest.fixture
def by_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: str) -> Path:
    """Give the folder of lasting names, with two cameras of which one is plugged in."""
    folder = tmp_path / "by-id"
    folder.mkdir()
    (folder / "usb-Good_Cam-video-index0").symlink_to(device)
    (folder / "usb-Gone_Cam-video-index0").symlink_to(tmp_path / "video9")
    monkeypatch.setattr(capture, "BY_ID", folder)
    return folder


def test_a_lasting_name_is_followed_and_shown(
    by_id: Path, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = str(by_id / "usb-Good_Cam-video-index0")
    with open_source(name) as source:
        assert next(source.frames()).source == name
    monkeypatch.setattr(FakeCapture, "is_free", False)
    with pytest.raises(SourceError, match=re.escape(f"cannot open {name} (now {device});")):
        open_source(name)


@pytest.mark.parametrize("name", ["/dev/video99", "by-id/usb-Gone_Cam-video-index0"])
def test_a_camera_that_is_not_there_is_told_with_the_lasting_names_that_are(
    by_id: Path, device: str, name: str
) -> None:
    path = str(by_id.parent / name)
    good = by_id / "usb-Good_Cam-video-index0"
    told = f"there is no camera {path}; there are: "
    with pytest.raises(SourceError, match=re.escape(told)) as caught:
        open_device(path, CameraConfig())
    assert str(caught.value).endswith(f"there are: {good} (now {device})")
    assert "\n" not in str(caught.value)


def test_lasting_names_are_listed_with_their_devices(by_id: Path, device: str) -> None:
    assert cameras_by_id(by_id) == {str(by_id / "usb-Good_Cam-video-index0"): device}
    assert cameras_by_id(by_id / "none") == {}
    assert with_target(device) == device


# Streams


class StallingCamera(BaseHTTPRequestHandler):
    """Sends so many pictures and then nothing more, or a byte now and then, but never hangs up."""

    pictures: ClassVar[int]
    trickles: ClassVar[bool]
    ends: ClassVar[Event]

    def do_GET(self) -> None:
        if self.pictures:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
        picture = cv2.imencode(".jpg", np.full((48, 64, 3), 90, dtype=np.uint8))[1].tobytes()
        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
        for _ in range(self.pictures):
            self.wfile.write(head.encode() + picture + b"\r\n")
        while not self.ends.wait(0.05):
            self._trickle()

    def _trickle(self) -> None:
        if self.trickles:
            try:
                self.wfile.write(b"-")
            except OSError:  # the caller gave up
                self.ends.wait()

    def log_message(self, *arguments: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def stalling() -> Iterator[Callable[[int, bool], str]]:
    """Give a function that starts a camera which stalls, and returns its address."""
    ends = Event()
    servers: list[ThreadingHTTPServer] = []

    def begin(pictures: int, trickles: bool) -> str:
        shape = {"pictures": pictures, "trickles": trickles, "ends": ends}
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("Camera", (StallingCamera,), shape))
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/"

    yield begin
    ends.set()
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("trickles", [False, True], ids=["silent", "trickling"])
def test_a_stream_that_stalls_is_given_up_after_the_stall(
    stalling: Callable[[int, bool], str], trickles: bool
) -> None:
    address = stalling(20, trickles)
    with open_source(address, camera=CameraConfig(stall_seconds=0.5)) as source:
        frames = source.frames()
        for _ in range(20):
            next(frames)
        began = time.monotonic()
        with pytest.raises(SourceError, match="stopped giving pictures"):
            next(frames)
    assert 0.4 <= time.monotonic() - began < 20


def test_a_stream_that_never_answers_is_given_up(
    stalling: Callable[[int, bool], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capture, "OPEN_TIMEOUT_SECONDS", 0.5)
    began = time.monotonic()
    with pytest.raises(SourceError, match="expected a video or stream"):
        open_source(stalling(0, False))
    assert 0.4 <= time.monotonic() - began < 20
