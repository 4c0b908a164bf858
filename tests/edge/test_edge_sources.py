"""Where frames come from."""

from __future__ import annotations

import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import cv2
import numpy as np
import pytest

from maskwatch_edge.cameras.addresses import device_of, is_camera, is_plugged, without_password
from maskwatch_edge.cameras.sources import (
    FolderSource,
    open_camera,
    open_source,
)
from maskwatch_edge.config import CameraConfig
from maskwatch_edge.errors import SourceError
from maskwatch_edge.faults import Notice
from maskwatch_edge.frame import Frame, Pixels
from maskwatch_edge.pictures import write_picture
from maskwatch_edge.video import VideoWriter

RED, GREEN, BLUE = (230, 20, 30), (20, 230, 30), (20, 30, 230)
Colour = tuple[int, int, int]


def plain(colour: Colour, width: int = 64, height: int = 48) -> Pixels:
    return np.full((height, width, 3), colour, dtype=np.uint8)


def write_video(path: Path, colours: list[Colour], frames_per_second: float = 10.0) -> None:
    with VideoWriter(path, frames_per_second) as writer:
        for colour in colours:
            writer.write(plain(colour))


def read_all(name: Path | str) -> list[Frame]:
    with open_source(str(name)) as source:
        return list(source.frames())


def shows(frame: Frame, colour: Colour) -> bool:
    """Tell whether a frame is of that colour, as far as JPEG and MPEG keep it."""
    return bool(np.abs(frame.pixels.astype(int) - colour).max() < 25)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".JPG", ".jpeg", ".bmp", ".webp"])
def test_a_picture_is_one_frame_in_rgb(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"red{suffix}"
    write_picture(path, plain(RED))
    (frame,) = read_all(path)
    assert shows(frame, RED)
    assert (frame.width, frame.height) == (64, 48)
    assert (frame.number, frame.time_seconds, frame.source) == (0, 0.0, str(path))
    assert frame.frames_per_second is None


@pytest.mark.parametrize("rate", [10.0, 12.5, 25.0])
def test_a_video_gives_every_frame_with_its_number_and_time(tmp_path: Path, rate: float) -> None:
    path = tmp_path / "clip.mp4"
    write_video(path, [RED, RED, GREEN, BLUE, BLUE], rate)
    frames = read_all(path)
    assert [frame.number for frame in frames] == [0, 1, 2, 3, 4]
    seconds = [frame.time_seconds for frame in frames]
    assert seconds == pytest.approx([number / rate for number in range(5)])
    assert [frame.frames_per_second for frame in frames] == pytest.approx([rate] * 5)
    assert {frame.source for frame in frames} == {str(path)}


def test_a_red_frame_of_a_video_comes_out_red(tmp_path: Path) -> None:
    write_video(tmp_path / "clip.mp4", [RED, GREEN, BLUE])
    frames = read_all(tmp_path / "clip.mp4")
    assert [shows(f, c) for f, c in zip(frames, (RED, GREEN, BLUE), strict=True)] == [True] * 3


def test_a_video_whose_name_looks_like_an_address_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_video(Path("12:30.mp4"), [RED, RED])
    frames = read_all("12:30.mp4")
    assert [frame.source for frame in frames] == ["12:30.mp4", "12:30.mp4"]


def test_a_video_that_grows_on_the_way_is_scaled_to_its_first_size(tmp_path: Path) -> None:
    path = tmp_path / "sizes.mjpg"
    sizes = [(64, 48), (64, 48), (96, 40)]
    pictures = [cv2.imencode(".jpg", plain(RED, *size))[1].tobytes() for size in sizes]
    path.write_bytes(b"".join(pictures))
    assert [(frame.width, frame.height) for frame in read_all(path)] == [(64, 48)] * 3


def test_a_video_that_was_cut_off_gives_the_frames_that_are_there(tmp_path: Path) -> None:
    path = tmp_path / "cut.mjpg"
    noise = np.random.default_rng(1).integers(0, 256, (48, 64, 3)).astype(np.uint8)
    picture = cv2.imencode(".jpg", noise)[1].tobytes()
    path.write_bytes(4 * picture + picture[: len(picture) // 3])
    assert 4 <= len(read_all(path)) <= 5


def test_an_mp4_that_was_cut_off_has_lost_its_index_and_is_refused(tmp_path: Path) -> None:
    write_video(tmp_path / "whole.mp4", [RED] * 20)
    content = (tmp_path / "whole.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(content[: len(content) // 2])
    with pytest.raises(SourceError, match=r"cannot open .*cut\.mp4; expected a video"):
        read_all(tmp_path / "cut.mp4")


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("empty.mp4", b"", "cannot open .*empty.mp4; expected a video"),
        ("random.avi", bytes(range(256)) * 20, "cannot open .*random.avi; expected a video"),
        ("one.mkv", b"x", "cannot open .*one.mkv; expected a video"),
        ("letter.jpg", b"Dear all,\n", "letter.jpg is not a readable picture"),
        ("empty.png", b"", "empty.png is not a readable picture"),
        ("notes.txt", b"Dear all,\n", "cannot open .*notes.txt; expected a video"),
        ("none", b"", "cannot open .*none; expected a video"),  # no suffix
    ],
)
def test_a_file_that_shows_nothing_is_refused_in_one_line(
    tmp_path: Path, name: str, content: bytes, expected: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=expected) as caught:
        read_all(tmp_path / name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nowhere.jpg", "there is no nowhere.jpg; expected a picture, a video"),
        ("no/folder", "there is no no/folder"),
        ("/dev/video99", "there is no camera /dev/video99; .*ls /dev/video"),
        ("99", "there is no camera /dev/video99"),  # a number is a camera
        ("/dev/null", "cannot open /dev/null; is another program using it"),  # no camera
        ("http://127.0.0.1:1/", "cannot open http://127.0.0.1:1/; expected a video or stream"),
        ("rtsp://127.0.0.1:1/x", "cannot open rtsp://127.0.0.1:1/x; expected a video or stream"),
    ],
)
def test_what_is_not_there_is_refused_at_once(name: str, expected: str) -> None:
    started = time.monotonic()
    with pytest.raises(SourceError, match=expected):
        read_all(name)
    assert time.monotonic() - started < 10


@pytest.fixture
def mixed_folder(tmp_path: Path) -> Path:
    """Fill a folder: two pictures, a video, a broken picture, and what is none of these."""
    write_picture(tmp_path / "a.PNG", plain(RED))
    write_video(tmp_path / "b.mp4", [GREEN, GREEN])
    (tmp_path / "c.jpg").write_text("not a picture")
    write_picture(tmp_path / "d.jpg", plain(BLUE))
    (tmp_path / "notes.txt").write_text("ignored")
    write_picture(tmp_path / ".hidden.png", plain(RED))
    (tmp_path / "album.jpg").mkdir()
    write_picture(tmp_path / "album.jpg" / "deeper.png", plain(RED))
    return tmp_path


def test_a_folder_gives_its_pictures_and_videos_by_name(mixed_folder: Path) -> None:
    notices: list[Notice] = []
    with open_source(str(mixed_folder), notices.append) as source:
        frames = [(Path(frame.source).name, frame.number) for frame in source.frames()]
    assert frames == [("a.PNG", 0), ("b.mp4", 0), ("b.mp4", 1), ("d.jpg", 0)]


def test_a_broken_file_in_a_folder_is_named_counted_and_skipped(mixed_folder: Path) -> None:
    notices: list[Notice] = []
    source = open_source(str(mixed_folder), notices.append)
    assert isinstance(source, FolderSource)
    assert len(list(source.frames())) == 4
    assert source.failures == 1
    assert len(notices) == 1
    assert "c.jpg is not a readable picture" in notices[0].message


def test_a_broken_file_in_a_folder_is_told_on_stderr(
    mixed_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    read_all(mixed_folder)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("maskwatch: skipped: ")
    assert err.count("\n") == 1


def test_a_dangling_link_in_a_folder_is_told_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    notices: list[Notice] = []
    with open_source(str(tmp_path), notices.append) as source:
        assert list(source.frames()) == []
    assert len(notices) == 1
    assert "gone.jpg" in notices[0].message


def test_a_folder_without_pictures_and_videos_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing to see")
    with pytest.raises(SourceError, match="holds no pictures and no videos"):
        open_source(str(tmp_path))


def test_every_source_may_be_closed_twice(mixed_folder: Path) -> None:
    for name in (mixed_folder, mixed_folder / "a.PNG", mixed_folder / "b.mp4"):
        source = open_source(str(name))
        source.close()
        source.close()


def test_only_cameras_and_streams_are_live(mixed_folder: Path, camera_url: str) -> None:
    for name in (mixed_folder, mixed_folder / "a.PNG", mixed_folder / "b.mp4"):
        with open_source(str(name)) as source:
            assert not source.is_live
    with open_source(camera_url) as stream:
        assert stream.is_live


@pytest.mark.parametrize(
    ("name", "is_one", "device"),
    [
        ("0", True, "/dev/video0"),
        ("12", True, "/dev/video12"),
        ("/dev/video2", True, "/dev/video2"),
        ("/dev/v4l/by-id/usb-Cam-video-index0", True, "/dev/v4l/by-id/usb-Cam-video-index0"),
        ("picamera2", True, None),
        ("rtsp://camera.example/live", True, None),
        ("https://camera.example/video", True, None),
        ("clip.mp4", False, None),
        ("/home/pi/0", False, None),
        ("http.jpg", False, None),
        ("-1", False, None),
    ],
)
def test_cameras_are_told_from_files_by_their_names(
    name: str, is_one: bool, device: str | None
) -> None:
    assert is_camera(name) is is_one
    assert device_of(name) == device


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("/dev/null", True),
        ("/dev/video99", False),
        ("99", False),
        ("rtsp://camera.example/live", True),  # nobody can tell
        ("picamera2", True),
    ],
)
def test_only_a_missing_device_file_tells_that_a_camera_is_not_plugged_in(
    name: str, expected: bool
) -> None:
    assert is_plugged(name) is expected


def test_a_configuration_opens_its_source(mixed_folder: Path) -> None:
    with open_camera(CameraConfig(source=str(mixed_folder / "b.mp4"))) as source:
        assert len(list(source.frames())) == 2


class MjpegCamera(BaseHTTPRequestHandler):
    """Serves six pictures as network cameras do, JPEG after JPEG, then hangs up."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        bgr = plain(RED)[..., ::-1]
        picture = cv2.imencode(".jpg", bgr)[1].tobytes()
        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
        for _ in range(6):
            self.wfile.write(head.encode() + picture + b"\r\n")

    def log_message(self, *arguments: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def camera_url() -> Iterator[str]:
    """Give the address of a network camera on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), MjpegCamera) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/video"
        server.shutdown()
        thread.join(timeout=10)


def test_a_network_camera_gives_frames_until_it_hangs_up_which_is_a_fault(camera_url: str) -> None:
    before = time.monotonic()
    with open_source(camera_url) as source:
        stream = source.frames()
        frames = [next(stream) for _ in range(6)]
        with pytest.raises(SourceError, match="stopped giving pictures; check the camera"):
            next(stream)
    assert [frame.number for frame in frames] == list(range(6))
    assert all(shows(frame, RED) for frame in frames)
    assert {frame.source for frame in frames} == {camera_url}
    seconds = [frame.time_seconds for frame in frames]
    assert before <= seconds[0]
    assert seconds == sorted(seconds)
    assert seconds[-1] <= time.monotonic()


def test_frames_of_a_camera_that_come_too_soon_are_passed_over(camera_url: str) -> None:
    with open_source(camera_url, gap_seconds=600.0) as source:
        stream = source.frames()
        assert shows(next(stream), RED)
        with pytest.raises(SourceError, match="stopped giving pictures"):
            next(stream)


def test_each_frame_of_a_file_counts_however_soon_it_comes(mixed_folder: Path) -> None:
    every, spaced = (
        [frame.number for frame in source.frames()]
        for source in (
            open_source(str(mixed_folder / "b.mp4")),
            open_source(str(mixed_folder / "b.mp4"), gap_seconds=600.0),
        )
    )
    assert every == spaced != []


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("rtsp://user:secret@camera.example:554/live", "rtsp://camera.example:554/live"),
        ("http://user:p@ss@camera.example", "http://camera.example"),  # a careless password
        ("rtsp://camera.example/a@b", "rtsp://camera.example/a@b"),  # no password at all
        ("/dev/video0", "/dev/video0"),
        ("holidays/me@home.mp4", "holidays/me@home.mp4"),
    ],
)
def test_a_password_is_never_printed(name: str, printed: str) -> None:
    assert without_password(name) == printed


def test_an_address_that_fails_is_told_without_its_password() -> None:
    with pytest.raises(SourceError) as caught:
        open_source("http://user:secret@127.0.0.1:1/")
    assert "secret" not in str(caught.value)
    assert "127.0.0.1" in str(caught.value)
