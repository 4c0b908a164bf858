"""A stand-in for the library picamera2, with a `FakeCamera` in the place of the real one.

It knows what Maskwatch asks of the library and refuses wrong use; a test compares its methods with
the real ones.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from threading import Event
from typing import Any, ClassVar

from maskwatch_edge.errors import SourceError
from maskwatch_edge.frame import Frame, Pixels

from .fake_camera import FakeCamera


class FakePicamera2:
    """What `picamera2.Picamera2` is for a program; `of` makes one for a camera.

    As the real one it must be configured before it starts, gives R, G, B for the format "BGR888"
    and B, G, R for "RGB888", waits for a picture that never comes when the cable is loose, cannot
    be closed while somebody waits, and leaves a pipe open if it cannot be made.
    """

    camera: ClassVar[FakeCamera]

    @staticmethod
    def of(camera: FakeCamera) -> type[FakePicamera2]:
        """Return the class that a program finds in the library while that camera is attached."""
        return type("Picamera2", (FakePicamera2,), {"camera": camera})

    @classmethod
    def global_camera_info(cls) -> list[dict[str, Any]]:
        """Return an entry for each camera that is attached."""
        return [{"Model": "fake", "Num": 0}] if cls.camera.is_plugged else []

    def __init__(self, camera_num: int = 0) -> None:
        notifyme_r, self.notifyme_w = os.pipe2(os.O_NONBLOCK)
        self.notifymeread = os.fdopen(notifyme_r, "rb")
        self._main: dict[str, Any] = {}
        self._frames: Iterator[Frame] | None = None
        self._is_waited_for = False
        try:
            self._source = self.camera.open()
        except SourceError as error:
            raise RuntimeError("Camera __init__ sequence did not complete.") from error

    @property
    def camera_controls(self) -> dict[str, Any]:
        """What can be set, with its range and default."""
        return {"FrameDurationLimits": (1, 10**6, 33333)}

    def create_video_configuration(
        self, main: dict[str, Any], *, buffer_count: int = 6, controls: dict[str, Any]
    ) -> dict[str, Any]:
        """Return a configuration; sides are cut to even numbers."""
        unknown = set(controls) - set(self.camera_controls)
        _check(not unknown, f"Control {unknown} is not advertised by libcamera")
        width, height = main["size"]
        size = (width - width % 2, height - height % 2)
        return {"main": main | {"size": size}, "buffer_count": buffer_count, "controls": controls}

    def configure(self, camera_config: dict[str, Any]) -> None:
        """Take a configuration."""
        _check(camera_config["buffer_count"] >= 1, "Could not create request")
        _check(camera_config["main"]["format"] in ("BGR888", "RGB888"), "Bad format")
        self._main = camera_config["main"]
        self.camera.resize(*self._main["size"])

    def start(self) -> None:
        """Let the pictures come."""
        _check(bool(self._main), "Camera has not been configured")
        self._frames = self._source.frames()

    def capture_array(self, name: str = "main", wait: float | None = None) -> Pixels:
        """Wait for a picture, shape (height, width, 3), for so many seconds."""
        _check(name == "main", f"Stream {name!r} is not defined")
        _check(bool(wait), "this could wait for ever")
        if self._frames is None:
            raise RuntimeError("this would wait for ever: the camera was not started")
        try:
            pixels = next(self._frames).pixels
        except SourceError as error:
            self._is_waited_for = True
            Event().wait(wait)
            raise TimeoutError from error
        return pixels if self._main["format"] == "BGR888" else pixels[..., ::-1].copy()

    def cancel_all_and_flush(self) -> None:
        """Forget who waits."""
        self._is_waited_for = False

    def close(self) -> None:
        """Stop, and let go of the camera."""
        _check(not self._is_waited_for, "this would wait for ever behind a capture")
        self._source.close()
        self.notifymeread.close()
        os.close(self.notifyme_w)


def _check(is_right: bool, error: str) -> None:
    if not is_right:
        raise RuntimeError(error)
