"""Opening cameras, streams and videos through OpenCV, each in the way that it needs."""

from __future__ import annotations

import os
import time
from math import inf
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from maskwatch_edge.config import CameraConfig
from maskwatch_edge.errors import SourceError
from maskwatch_edge.frame import Pixels
from maskwatch_edge.limits import MAX_PIXELS, TOO_MANY_PIXELS

BY_ID = Path("/dev/v4l/by-id")
"""Links to the USB cameras that keep their names, whichever is plugged in first."""

PIXEL_FORMATS = ("MJPG", "YUYV")
"""What a device is asked for, the best first: MJPG is compressed, so more frames fit through USB.

Left to itself, OpenCV tries BGR3 first, which the kernel may have to convert, and which it returns
as one long row in some versions.
"""

OPEN_TIMEOUT_SECONDS = 10.0
"""A network camera that does not answer for so long is taken for away."""


def open_device(path: str, camera: CameraConfig) -> cv2.VideoCapture:
    """Open a V4L2 camera, in the wanted size and rate as far as it offers them.

    Args:
        path: Its device file, or a link to it such as those in `/dev/v4l/by-id`.
        camera: Size and rate to ask for.

    Raises:
        SourceError: If there is no such camera, or it cannot be opened.
    """
    if not Path(path).exists():
        raise SourceError(f"there is no camera {path}; {_which_there_are()}")
    if not os.access(path, os.R_OK | os.W_OK):
        raise SourceError(
            f"this user may not open {with_target(path)}; expected a member of the group video: "
            "sudo usermod -aG video USER"
        )
    capture = _opened(path, cv2.CAP_V4L2, [], with_target(path), "is another program using it?")
    for name in PIXEL_FORMATS:
        if _takes(capture, name):
            break
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, camera.width_px)
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, camera.height_px)
    capture.set(cv2.CAP_PROP_FPS, camera.frames_per_second)
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    return capture


def open_stream(address: str, shown: str, camera: CameraConfig) -> cv2.VideoCapture:
    """Open a network camera; one that says nothing for `stall_seconds` gives no frame any more.

    Args:
        address: A URL that FFmpeg understands.
        shown: The address as it may be printed.
        camera: Says how long a frame may take.

    Raises:
        SourceError: If nobody answers, or what answers is no video or a too large one.
    """
    patience = [
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
        round(OPEN_TIMEOUT_SECONDS * 1000),
        cv2.CAP_PROP_READ_TIMEOUT_MSEC,
        max(round(camera.stall_seconds * 1000), 1),
    ]
    return _opened_video(address, patience, shown)


def open_file(path: Path) -> cv2.VideoCapture:
    """Open a video file.

    Raises:
        SourceError: If it is no video, or a too large one; see `limits`.
    """
    if path.exists() and not path.is_file():  # nobody may ever write to a pipe
        raise SourceError(f"cannot open {path}; expected a video file, and it is no regular file")
    # FFmpeg takes the first part of a relative path such as 12:30.mp4 for a protocol.
    return _opened_video(str(path.absolute()), [], str(path))


def read_rgb(
    capture: cv2.VideoCapture, shown: str, not_before_seconds: float = -inf
) -> Pixels | None:
    """Read the next frame.

    Args:
        capture: The camera or video.
        shown: What messages call it.
        not_before_seconds: Frames that come earlier, on the monotonic clock, are taken off the
            camera and left packed: unpacking a JPEG is most of the work.

    Returns:
        Shape (height, width, 3), uint8, RGB; None if there is none.

    Raises:
        SourceError: If what comes is no picture.
    """
    try:
        is_read = capture.grab()
        while is_read and time.monotonic() < not_before_seconds:
            is_read = capture.grab()
        bgr = capture.retrieve()[1] if is_read else None
    except cv2.error as error:
        raise SourceError(f"cannot read from {shown}: {error.err}") from error
    if bgr is None or not bgr.size:
        return None
    _check_shape(bgr, shown)
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def cameras_by_id(folder: Path = BY_ID) -> dict[str, str]:
    """Return the lasting names of the USB cameras that are plugged in, with their devices now."""
    try:
        links = sorted(link for link in folder.iterdir() if link.exists())
        return {str(link): str(link.resolve()) for link in links}
    except OSError:  # udev makes the folder with the first camera
        return {}


def with_target(path: str) -> str:
    """Return a device's name, and what it stands for if it is a link."""
    target = str(Path(path).resolve())
    return path if target == str(Path(path).absolute()) else f"{path} (now {target})"


def _which_there_are() -> str:
    names = [f"{name} (now {device})" for name, device in cameras_by_id(BY_ID).items()]
    return f"there are: {', '.join(names)}" if names else "see which there are: ls /dev/video*"


def _opened(
    address: str, backend: int, parameters: list[int], shown: str, hint: str
) -> cv2.VideoCapture:
    try:
        capture = cv2.VideoCapture(address, backend, parameters)
    except cv2.error as error:
        raise SourceError(f"cannot open {shown}: {error.err}") from error
    if not capture.isOpened():
        raise SourceError(f"cannot open {shown}; {hint}")
    return capture


def _opened_video(address: str, parameters: list[int], shown: str) -> cv2.VideoCapture:
    capture = _opened(address, cv2.CAP_FFMPEG, parameters, shown, "expected a video or stream")
    # Before a frame is unpacked: a small file can hold one of a gigabyte.
    sides = capture.get(cv2.CAP_PROP_FRAME_WIDTH), capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
    if sides[0] * sides[1] > MAX_PIXELS:
        raise SourceError(f"{shown} {TOO_MANY_PIXELS}")
    return capture


def _takes(capture: cv2.VideoCapture, pixel_format: str) -> bool:
    # `set` answers True although OpenCV fell back to another format, so it is asked which it is.
    wanted = cv2.VideoWriter.fourcc(*pixel_format)
    capture.set(cv2.CAP_PROP_FOURCC, wanted)
    return int(capture.get(cv2.CAP_PROP_FOURCC)) == wanted


def _check_shape(bgr: npt.NDArray[np.generic], shown: str) -> None:
    if bgr.dtype != np.uint8 or bgr.ndim != 3 or bgr.shape[2] != 3:
        raise SourceError(
            f"{shown} gives {bgr.dtype} of shape {bgr.shape}; expected pictures of shape "
            f"(height, width, 3), which most cameras give as {' or '.join(PIXEL_FORMATS)}"
        )
