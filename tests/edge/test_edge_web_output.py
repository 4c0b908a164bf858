"""The live page as the loop sees it: what it keeps, whom it drops, and how it fails."""

from __future__ import annotations

import gc
import http.client
import json
import re
import socket
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Thread

import numpy as np
import pytest

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.cameras.state import CameraState
from maskwatch_edge.config import CameraConfig, Config, WebConfig
from maskwatch_edge.contract import WITH_MASK
from maskwatch_edge.errors import OutputError
from maskwatch_edge.fault_log import FaultLog
from maskwatch_edge.frame import Frame
from maskwatch_edge.run_command import open_page
from maskwatch_edge.tracks import Track
from maskwatch_edge.verdict import Decision, Sighting, Verdict
from maskwatch_edge.view import Output, View

pytest.importorskip("aiohttp", reason="needs the extra web")
pytest.importorskip("prometheus_client", reason="needs the extra web")

from maskwatch_edge.web import answers, server
from maskwatch_edge.web.pictures import Artist

from .chromium import decoded
from .conftest import PATIENCE_SECONDS
from .watching import Client

CONFIG = Config(camera=CameraConfig(source="0"), web=WebConfig(enabled=True, port=0, max_viewers=2))


class Desk(Client):
    """A page, fed by hand."""

    def __init__(self, output: Output, port: int) -> None:
        super().__init__(port)
        self.output = output
        self._number = 0

    def feed(self, width: int = 64, height: int = 48) -> weakref.ref[Frame]:
        """Show a picture of noise, which no JPEG makes small, and let go of it."""
        pixels = np.random.default_rng(self._number).integers(0, 255, (height, width, 3), np.uint8)
        frame = Frame(pixels, self._number, time.monotonic(), "0")
        self._number += 1
        view = View(frame, (), (), (), CameraState.SEEING, 10.0, time.monotonic())
        self.output.show(view)
        return weakref.ref(frame)

    def feed_until(self, is_so: Callable[[], bool], width: int = 64, height: int = 48) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_so():
            assert time.monotonic() < deadline
            self.feed(width, height)
            time.sleep(0.02)

    def metric(self, name: str) -> float:
        text = self.ask("/metrics")[2].decode()
        found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
        assert found, text
        return float(found[1])

    def viewer(self) -> socket.socket:
        """Connect somebody who asks for the stream and then takes nothing."""
        viewer = socket.socket()
        viewer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        viewer.connect(("127.0.0.1", self.port))
        viewer.sendall(b"GET /api/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return viewer

    @contextmanager
    def reader(self) -> Iterator[Reader]:
        """Connect somebody who takes all that comes."""
        with self.viewer() as viewer:
            reader = Reader(viewer)
            try:
                yield reader
            finally:
                reader.hang_up()


class Reader(Thread):
    """Takes what comes, and counts it."""

    def __init__(self, viewer: socket.socket) -> None:
        super().__init__()
        self._viewer = viewer
        self._has_hung_up = False
        self.taken = 0
        self.start()

    def run(self) -> None:
        try:
            while part := self._viewer.recv(65536):
                self.taken += len(part)
        except ConnectionResetError:  # what still comes after it has hung up is refused
            if not self._has_hung_up:
                raise

    def hang_up(self) -> None:
        """Take nothing more, and wait until the thread has ended."""
        self._has_hung_up = True
        self._viewer.shutdown(socket.SHUT_RDWR)
        self.join()


@pytest.fixture
def desk(capsys: pytest.CaptureFixture[str]) -> Iterator[Desk]:
    output = open_page(CONFIG, lambda: None, FaultLog(), {})
    try:
        yield Desk(output, int(re.findall(r"\d+", capsys.readouterr().err)[-1]))
    finally:
        output.close()


def is_gone(reference: weakref.ref[Frame]) -> bool:
    gc.collect()
    return reference() is None


def test_no_frame_is_kept_while_nobody_watches(desk: Desk) -> None:
    assert is_gone(desk.feed())
    json.loads(desk.ask("/api/state")[2])
    assert is_gone(desk.feed())


def test_the_last_frame_goes_with_the_last_viewer(desk: Desk) -> None:
    with desk.viewer() as viewer:
        desk.feed_until(lambda: desk.metric('maskwatch_viewers{of="picture"}') == 1)
        assert viewer.recv(12) == b"HTTP/1.1 200"
    desk.feed_until(lambda: desk.metric('maskwatch_viewers{of="picture"}') == 0)
    frame = desk.feed()
    assert is_gone(frame)


def test_who_takes_nothing_is_dropped_and_holds_up_nobody(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "STALLED_SECONDS", 2.0)
    dropped = 'maskwatch_viewers_dropped_total{of="picture"}'
    with desk.viewer(), desk.reader() as reader:
        desk.feed_until(lambda: desk.metric(dropped) == 1, 640, 480)
        assert desk.metric('maskwatch_viewers{of="picture"}') == 1
        assert reader.taken > 4 * server.UNSENT_BYTES


def test_a_snapshot_without_a_frame_is_not_waited_for_for_ever(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "PICTURE_SECONDS", 0.1)
    status, _, body = desk.ask("/api/snapshot")
    assert (status, json.loads(body)) == (503, {"error": "there is no picture yet"})


def test_connections_beyond_a_number_are_hung_up_on(desk: Desk) -> None:
    most = 4 * CONFIG.web.max_viewers + server.SPARE_CONNECTIONS
    idle = [socket.create_connection(("127.0.0.1", desk.port)) for _ in range(most + 1)]
    try:
        idle[-1].settimeout(PATIENCE_SECONDS)
        assert is_hung_up(idle[-1])
    finally:
        for each in idle:
            each.close()
    desk.feed_until(lambda: is_answered(desk))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "KEEP_ALIVE_SECONDS", 0.5)


@pytest.mark.usefixtures("impatient")
def test_who_never_comes_to_the_end_of_a_request_is_hung_up_on(desk: Desk) -> None:
    with socket.create_connection(("127.0.0.1", desk.port), PATIENCE_SECONDS) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: local")
        assert is_hung_up(slow)
    desk.feed_until(lambda: is_answered(desk))


def is_hung_up(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def is_answered(desk: Desk) -> bool:
    try:
        return desk.ask("/healthz")[0] == 200
    except (OSError, http.client.HTTPException):
        return False


@pytest.mark.parametrize(
    ("size_wh", "expected_wh"), [((1280, 720), (640, 360)), ((64, 48), (64, 48))]
)
def test_a_picture_is_no_wider_than_set_and_leaves_the_frame_as_it_was(
    size_wh: tuple[int, int], expected_wh: tuple[int, int]
) -> None:
    pixels = np.full((size_wh[1], size_wh[0], 3), 128, dtype=np.uint8)
    frame = Frame(pixels, 0, 0.0, "0")
    sighting = Sighting(FaceBox(10, 10, 40, 40), Verdict(WITH_MASK, 0.9), Decision.MASK)
    track = Track(1, sighting.box, Decision.MASK, sighting, 0.0, 0.0)
    jpeg = Artist(640).packed(View(frame, (), (track,), (), CameraState.SEEING, 10.0, 0.0))
    picture = decoded(jpeg)
    assert picture.shape == (expected_wh[1], expected_wh[0], 3)
    assert picture.std() > 5
    assert pixels.std() == 0


def test_a_page_that_fails_says_so_to_who_feeds_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(self: object, view: object) -> None:
        raise RuntimeError("a slip of ours")

    monkeypatch.setattr("maskwatch_edge.web.pictures.Pictures._make", fail)
    with desk.viewer(), pytest.raises(OutputError, match="slip of ours"):
        desk.feed_until(lambda: False)


def test_closing_twice_is_no_fault_and_ends_the_thread(desk: Desk) -> None:
    desk.output.close()
    desk.output.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", desk.port))


def test_an_address_that_is_not_the_boards_is_told() -> None:
    elsewhere = WebConfig(enabled=True, address="192.0.2.1", token_hash="sha256:" + 64 * "0")
    with pytest.raises(OutputError, match=r"cannot listen on 192\.0\.2\.1, port 8080: .*web\.port"):
        open_page(replace(CONFIG, web=elsewhere), lambda: None, FaultLog(), {})
