"""The Raspberry Pi's own camera, through picamera2.

picamera2 comes from Pi OS (`apt install python3-picamera2`) and is seen in a virtual environment
that was made with `--system-site-packages`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from maskwatch_edge.closing import Closing
from maskwatch_edge.config import CameraConfig
from maskwatch_edge.errors import MissingExtraError, SourceError
from maskwatch_edge.frame import Frame

from .addresses import PI_CAMERA

"""What `--source` calls it."""

FORMAT = "BGR888"
"""libcamera names the bytes from the last to the first: this one is R, G, B in memory."""

BUFFERS = 2
"""One is filled while the other is read; with fewer, every second frame is lost."""


class PiCameraSource(Closing):
    """Frames of the Pi camera.

    Args:
        camera: Size and rate to ask for, and how long a frame may take; the defaults if None.

    Raises:
        MissingExtraError: If picamera2 is not installed.
        SourceError: If there is no camera, or it cannot be started.
    """

    is_live = True

    def __init__(self, camera: CameraConfig | None = None) -> None:
        self._wanted = camera or CameraConfig()
        self._camera: Any = None
        library = _import()
        try:
            self._camera = _open(library)
            self._camera.configure(_configuration(self._camera, self._wanted))
            self._camera.start()
        except (RuntimeError, ValueError, IndexError, OSError) as error:
            self.close()
            raise SourceError(
                f"cannot start the Pi camera: {error}; see which there are: rpicam-hello --list"
            ) from error

    def frames(self) -> Iterator[Frame]:
        """Give frame after frame; the camera sets the pace."""
        number = 0
        while self._camera is not None:
            yield Frame(
                np.ascontiguousarray(self._capture()),
                number,
                time.monotonic(),
                PI_CAMERA,
                self._wanted.frames_per_second,
            )
            number += 1

    def _capture(self) -> Any:
        # Without a limit this waits for ever once the cable is loose: libcamera only logs that.
        try:
            return self._camera.capture_array("main", wait=self._wanted.stall_seconds)
        except TimeoutError as error:
            raise SourceError(
                f"the Pi camera gave no picture for {self._wanted.stall_seconds:g} s; "
                "check its cable"
            ) from error
        except (RuntimeError, OSError) as error:
            raise SourceError(f"the Pi camera stopped giving pictures: {error}") from error

    def close(self) -> None:
        """Let go of the camera; may be called twice.

        Raises:
            SourceError: If libcamera will not let go.
        """
        camera, self._camera = self._camera, None
        if camera is None:
            return
        try:
            # A capture that timed out is still in the queue, and stopping could wait behind it.
            camera.cancel_all_and_flush()
            camera.close()
        except RuntimeError as error:
            raise SourceError(f"cannot close the Pi camera: {error}") from error


def _import() -> Any:
    try:
        from picamera2 import Picamera2
    except ImportError as error:
        raise MissingExtraError("picamera2 (on Pi OS: apt)", "pi") from error
    except ValueError as error:
        # apt's simplejpeg is built for apt's numpy, and a virtual environment may have a newer one.
        raise SourceError(
            f"picamera2 does not fit the packages beside it: {error}; "
            "mend it in this virtual environment with: pip install --upgrade simplejpeg"
        ) from error
    if not hasattr(Picamera2, "cancel_all_and_flush"):
        raise SourceError(
            "this picamera2 is too old to notice a dead camera; expected 0.3.21 or newer: "
            "sudo apt install python3-picamera2"
        )
    return Picamera2


def _open(library: Any) -> Any:
    if not library.global_camera_info():
        raise RuntimeError("there is none, or its cable is loose")
    camera = library.__new__(library)
    try:
        camera.__init__()
    except BaseException:
        # A constructor that fails leaves a pipe open, and one that is tried for a year leaves all.
        if hasattr(camera, "notifyme_w"):
            camera.notifymeread.close()
            os.close(camera.notifyme_w)
        raise
    return camera


def _configuration(camera: Any, wanted: CameraConfig) -> Any:
    controls = {}
    if "FrameDurationLimits" in camera.camera_controls:  # USB cameras under libcamera lack it
        microseconds = round(1e6 / wanted.frames_per_second)
        controls["FrameDurationLimits"] = (microseconds, microseconds)
    return camera.create_video_configuration(
        main={"size": (wanted.width_px, wanted.height_px), "format": FORMAT},
        buffer_count=BUFFERS,
        controls=controls,
    )
