"""Writing videos."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import cv2

from .errors import OutputError
from .files import replacing
from .frame import Pixels

CODEC = "mp4v"
"""MPEG-4 part 2: the one that every OpenCV wheel can write without further libraries."""


class VideoWriter:
    """Writes an MP4 file frame by frame; it takes its place when the writer is closed.

    Args:
        path: Where the video appears, ending in `.mp4`.
        frames_per_second: Rate at which it is to be played.

    Raises:
        OutputError: If the file cannot be written.
    """

    def __init__(self, path: Path, frames_per_second: float) -> None:
        if path.suffix != ".mp4":
            raise OutputError(f"a video is written as .mp4; received {path}")
        self._path = path
        self._frames_per_second = frames_per_second
        self._stack = ExitStack()
        self._beside = self._stack.enter_context(replacing(path))
        self._writer: cv2.VideoWriter | None = None

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._release()
        self._stack.__exit__(kind, error, trace)

    def write(self, pixels: Pixels) -> None:
        """Add a frame, shape (height, width, 3), uint8, RGB; all of one size."""
        if self._writer is None:
            self._writer = self._open(pixels)
        self._writer.write(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))

    def close(self) -> None:
        """Finish the file; may be called twice."""
        self._release()
        self._stack.close()

    def _open(self, pixels: Pixels) -> cv2.VideoWriter:
        height, width = pixels.shape[:2]
        codec = cv2.VideoWriter.fourcc(*CODEC)
        writer = cv2.VideoWriter(str(self._beside), codec, self._frames_per_second, (width, height))
        if not writer.isOpened():
            raise OutputError(f"cannot write the video {self._path}: OpenCV refuses {CODEC}")
        return writer

    def _release(self) -> None:
        if self._writer is not None:
            self._writer.release()
            self._writer = None
