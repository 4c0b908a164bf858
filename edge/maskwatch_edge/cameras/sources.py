"""Where frames come from: pictures, folders, video files, cameras and network streams.

Colours are converted here and nowhere else: OpenCV gives BGR, a `Frame` is RGB.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from math import inf
from pathlib import Path
from typing import Protocol

import cv2

from maskwatch_edge.closing import Closing
from maskwatch_edge.config import CameraConfig
from maskwatch_edge.dataset import PICTURE_SUFFIXES
from maskwatch_edge.errors import SourceError
from maskwatch_edge.fault_log import warn
from maskwatch_edge.faults import Fault, Warn
from maskwatch_edge.frame import Frame, Pixels
from maskwatch_edge.pictures import read_picture

from .addresses import PI_CAMERA, device_of, is_camera, without_password
from .capture import open_device, open_file, open_stream, read_rgb
from .pi_camera import PiCameraSource

VIDEO_SUFFIXES = frozenset({".mp4", ".avi", ".mkv", ".mov", ".m4v", ".webm", ".mjpg", ".mpg"})
ASSUMED_FRAMES_PER_SECOND = 25.0
"""Taken for videos and cameras that do not state their rate."""


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
        camera: What a camera is asked for, and how long a frame of a stream may take.
        gap_seconds: Frames of a camera that come sooner after another are passed over.

    Raises:
        SourceError: If it cannot be opened.
    """

    def __init__(
        self,
        name: str,
        *,
        is_live: bool = False,
        camera: CameraConfig | None = None,
        gap_seconds: float = 0.0,
    ) -> None:
        super().__init__(without_password(name))
        self.is_live = is_live
        self._gap_seconds = gap_seconds if is_live else 0.0
        self._read_seconds = -inf
        self._capture = self._open(name, camera or CameraConfig())
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        self._frames_per_second = rate if 0 < rate <= 1000 else ASSUMED_FRAMES_PER_SECOND

    def _open(self, name: str, camera: CameraConfig) -> cv2.VideoCapture:
        if not self.is_live:
            return open_file(Path(name))
        if device_of(name) is not None:
            return open_device(name, camera)
        return open_stream(name, self.name, camera)

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
        pixels = read_rgb(self._capture, self.name, self._read_seconds + self._gap_seconds)
        self._read_seconds = time.monotonic()
        return pixels

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

    def __init__(self, name: str, warn: Warn) -> None:
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
                self._warn(Fault.FILE_SKIPPED.once(f"skipped: {error}"))


AnySource = PictureSource | VideoSource | FolderSource | PiCameraSource


def open_source(
    name: str,
    warn: Warn = warn,
    camera: CameraConfig | None = None,
    gap_seconds: float = 0.0,
) -> AnySource:
    """Open whatever the name stands for.

    Args:
        name: A picture, video or folder; a camera number such as "0", its device, or
            "picamera2"; a URL.
        warn: Told of each unreadable file in a folder.
        camera: What a camera is asked for; the defaults if None. Its `source` is not looked at.
        gap_seconds: Frames of a USB or network camera that come sooner after another are passed
            over, which costs nearly nothing.

    Raises:
        SourceError: If there is no such thing, or it cannot be opened.
    """
    if name == PI_CAMERA:
        return PiCameraSource(camera)
    if is_camera(name):
        address = device_of(name) or name
        return VideoSource(address, is_live=True, camera=camera, gap_seconds=gap_seconds)
    path = Path(name)
    if path.is_dir():
        return FolderSource(name, warn)
    if not path.exists():
        raise SourceError(
            f"there is no {name}; expected a picture, a video, a folder, a camera such as 0 or "
            "/dev/video0, or an rtsp:// or http:// address"
        )
    return PictureSource(name) if path.suffix.lower() in PICTURE_SUFFIXES else VideoSource(name)


def open_camera(camera: CameraConfig, gap_seconds: float = 0.0, warn: Warn = warn) -> AnySource:
    """Open the source of a configuration, as `open_source` does."""
    return open_source(camera.source, warn, camera, gap_seconds)


def _list_readable(folder: Path) -> Sequence[Path]:
    try:
        return sorted(filter(_looks_readable, folder.iterdir()))
    except OSError as error:
        raise SourceError(f"cannot read the folder {folder}: {error.strerror}") from error


def _looks_readable(path: Path) -> bool:
    is_known = path.suffix.lower() in PICTURE_SUFFIXES | VIDEO_SUFFIXES
    return is_known and not path.name.startswith(".") and not path.is_dir()
