"""The Raspberry Pi's own camera, through picamera2.

picamera2 comes from Pi OS (`apt install python3-picamera2`) and is seen in a virtual environment
that was made with `--system-site-packages`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from .closing import Closing
from .errors import MissingExtraError, SourceError
from .frame import Frame

PI_CAMERA = "picamera2"
"""What `--source` calls it."""

SIZE = (640, 480)
FORMAT = "BGR888"
"""libcamera names the bytes from the last to the first: this one is R, G, B in memory."""

FRAMES_PER_SECOND = 30.0
"""What a video configuration gives unless it is told otherwise."""


class PiCameraSource(Closing):
    """Frames of the Pi camera, 640x480.

    Raises:
        MissingExtraError: If picamera2 is not installed.
        SourceError: If there is no camera, or it cannot be started.
    """

    is_live = True

    def __init__(self) -> None:
        try:
            from picamera2 import Picamera2
        except ImportError as error:
            raise MissingExtraError("picamera2 (on Pi OS: apt)", "pi") from error
        self._camera = None
        try:
            self._camera = Picamera2()
            main = {"size": SIZE, "format": FORMAT}
            self._camera.configure(
                self._camera.create_video_configuration(main=main, buffer_count=2)
            )
            self._camera.start()
        except (RuntimeError, IndexError, OSError) as error:
            self.close()
            raise SourceError(
                f"cannot start the Pi camera: {error}; see which there are: rpicam-hello --list"
            ) from error

    def frames(self) -> Iterator[Frame]:
        """Give frame after frame; the camera sets the pace."""
        number = 0
        while self._camera is not None:
            try:
                pixels = self._camera.capture_array("main")
            except (RuntimeError, OSError) as error:
                raise SourceError(f"the Pi camera stopped giving pictures: {error}") from error
            yield Frame(
                np.ascontiguousarray(pixels),
                number,
                time.monotonic(),
                PI_CAMERA,
                FRAMES_PER_SECOND,
            )
            number += 1

    def close(self) -> None:
        """Let go of the camera; may be called twice."""
        if self._camera is not None:
            self._camera.stop()
            self._camera.close()
            self._camera = None
