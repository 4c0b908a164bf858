"""Where frames come from: pictures, folders, video files, cameras and network streams.

Colours are converted here and nowhere else: OpenCV gives BGR, a `Frame` is RGB.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from .closing import Closing
from .dataset import PICTURE_SUFFIXES
from .errors import SourceError
from .frame import Frame, Pixels
from .pi_camera import PI_CAMERA, PiCameraSource
from .pictures import read_picture

VIDEO_SUFFIXES = frozenset({".mp4", ".avi", ".mkv", ".mov", ".m4v", ".webm", ".mjpg", ".mpg"})
ASSUMED_FRAMES_PER_SECOND = 25.0
"""Taken for videos and cameras that do not state their rate."""

URL_PREFIXES = ("rtsp://", "rtsps://", "http://", "https://")


class FrameSource(Protocol):
    """Anything that gives frames. A context manager; `close` may be called twice."""

    is_live: bool
    """Whether frames come at the pace of the world, and are lost if nobody takes them."""

    def frames(self) -> Iterator[Frame]:
        """Give frame after frame until the source ends.

        Raises:
            SourceError: If it cannot be read.
        """
        ...

    def close(self) -> None:
        """Let go of the device or file."""
        ...


class _Source(Closing):
    """What files and streams share: a name; nothing is held open between frames."""

    is_live = False

    def __init__(self, name: str) -> None:
        self.name = name


class PictureSource(_Source):
    """One picture file: a single frame."""

    def frames(self) -> Iterator[Frame]:
        """Read the picture."""
        yield Frame(read_picture(Path(self.name)), number=0, time_seconds=0.0, source=self.name)


class VideoSource(_Source):
    """A video file, a camera or a network stream, through OpenCV.

    Args:
        name: A path, a device such as `/dev/video0`, or a URL.
        is_live: Whether it is a camera or stream: then an end is a fault, not the end.

    Raises:
        SourceError: If it cannot be opened.
    """

    def __init__(self, name: str, *, is_live: bool = False) -> None:
        super().__init__(without_password(name))
        self.is_live = is_live
        self._capture = _open_capture(name, is_live)
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        self._frames_per_second = rate if 0 < rate <= 1000 else ASSUMED_FRAMES_PER_SECOND

    def frames(self) -> Iterator[Frame]:
        """Read frame after frame."""
        number = 0
        while (pixels := self._read()) is not None:
            yield Frame(pixels, number, self._seconds(number), self.name, self._frames_per_second)
            number += 1
        if self.is_live:
            raise SourceError(f"{self.name} stopped giving pictures; check the camera and cable")
        if not number:
            raise SourceError(f"{self.name} holds no readable frame; expected a video")

    def _read(self) -> Pixels | None:
        try:
            is_read, bgr = self._capture.read()
        except cv2.error as error:
            raise SourceError(f"cannot read from {self.name}: {error.err}") from error
        if not is_read or bgr is None or not bgr.size:
            return None
        return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), dtype=np.uint8)

    def _seconds(self, number: int) -> float:
        return time.monotonic() if self.is_live else number / self._frames_per_second

    def close(self) -> None:
        """Let go of the device or file."""
        self._capture.release()


class FolderSource(_Source):
    """The pictures and videos directly in a folder, by name.

    A file that cannot be read is told to `warn` and counted in `failures`; the rest goes on.

    Raises:
        SourceError: If the folder holds neither pictures nor videos.
    """

    def __init__(self, name: str, warn: Callable[[str], None]) -> None:
        super().__init__(name)
        self._warn = warn
        self.failures = 0
        self._paths = _list_readable(Path(name))
        if not self._paths:
            raise SourceError(f"the folder {name} holds no pictures and no videos")

    def frames(self) -> Iterator[Frame]:
        """Read file after file."""
        for path in self._paths:
            try:
                with open_source(str(path)) as source:
                    yield from source.frames()
            except SourceError as error:
                self.failures += 1
                self._warn(str(error))


AnySource = PictureSource | VideoSource | FolderSource | PiCameraSource


def _warn_on_stderr(line: str) -> None:
    print(f"maskwatch: skipped: {line}", file=sys.stderr)  # noqa: T201


def open_source(name: str, warn: Callable[[str], None] = _warn_on_stderr) -> AnySource:
    """Open whatever the name stands for.

    Args:
        name: A picture, video or folder; a camera number such as "0", its device, or
            "picamera2"; a URL.
        warn: Told of each unreadable file in a folder.

    Raises:
        SourceError: If there is no such thing, or it cannot be opened.
    """
    if name == PI_CAMERA:
        return PiCameraSource()
    if name.isdecimal():
        return VideoSource(f"/dev/video{name}", is_live=True)
    if name.startswith("/dev/") or name.startswith(URL_PREFIXES):
        return VideoSource(name, is_live=True)
    path = Path(name)
    if path.is_dir():
        return FolderSource(name, warn)
    if not path.exists():
        raise SourceError(
            f"there is no {name}; expected a picture, a video, a folder, a camera such as 0 or "
            "/dev/video0, or an rtsp:// or http:// address"
        )
    return PictureSource(name) if path.suffix.lower() in PICTURE_SUFFIXES else VideoSource(name)


def without_password(name: str) -> str:
    """Return a source's name as it may be printed: an address without its user and password."""
    scheme, separator, rest = name.partition("://")
    if not separator:
        return name
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


def _list_readable(folder: Path) -> Sequence[Path]:
    try:
        return sorted(filter(_looks_readable, folder.iterdir()))
    except OSError as error:
        raise SourceError(f"cannot read the folder {folder}: {error.strerror}") from error


def _looks_readable(path: Path) -> bool:
    is_known = path.suffix.lower() in PICTURE_SUFFIXES | VIDEO_SUFFIXES
    return is_known and not path.name.startswith(".") and not path.is_dir()


def _open_capture(name: str, is_live: bool) -> cv2.VideoCapture:
    is_device = name.startswith("/dev/")
    if is_device and not Path(name).exists():
        raise SourceError(f"there is no camera {name}; see which there are: ls /dev/video*")
    backend = cv2.CAP_V4L2 if is_device else cv2.CAP_FFMPEG
    # FFmpeg takes the first part of a relative path such as 12:30.mp4 for a protocol.
    address = name if is_live else str(Path(name).absolute())
    try:
        capture = cv2.VideoCapture(address, backend)
    except cv2.error as error:
        raise SourceError(f"cannot open {without_password(name)}: {error.err}") from error
    if not capture.isOpened():
        hint = "is another program using it?" if is_device else "expected a video or stream"
        raise SourceError(f"cannot open {without_password(name)}; {hint}")
    if is_device:
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    return capture
