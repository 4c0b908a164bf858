"""Writing videos."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
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

    A writer that was given no frame leaves no file.

    Args:
        path: Where the video appears, ending in `.mp4`.
        frames_per_second: Rate at which it is to be played.

    Raises:
        OutputError: If the path ends otherwise.
    """

    def __init__(self, path: Path, frames_per_second: float) -> None:
        if path.suffix != ".mp4":
            raise OutputError(f"a video is written as .mp4; received {path}")
        self._path = path
        self._frames_per_second = frames_per_second
        self._stack = ExitStack()
        self._writer: cv2.VideoWriter | None = None
        self._resolution_wh = (0, 0)

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def write(self, pixels: Pixels) -> None:
        """Add a frame, shape (height, width, 3), uint8, RGB; all of one size.

        MPEG-4 has even sides: the last column or row of an odd frame is cut off.

        Raises:
            ValueError: If the frame has another size than the first; OpenCV would drop it.
            OutputError: If the file cannot be written.
        """
        resolution_wh = pixels.shape[1], pixels.shape[0]
        if self._writer is None:
            self._resolution_wh = resolution_wh
            opened = _opened(self._path, self._frames_per_second, resolution_wh)
            self._writer = self._stack.enter_context(opened)
        if self._resolution_wh != resolution_wh:
            raise ValueError(
                f"a frame of this video must have (width, height) {self._resolution_wh}; "
                f"received {resolution_wh}"
            )
        self._writer.write(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))

    def close(self) -> None:
        """Finish the file; may be called twice.

        Raises:
            OutputError: If the file cannot be written, as on a full disk.
        """
        self._stack.close()


@contextmanager
def _opened(
    path: Path, frames_per_second: float, resolution_wh: tuple[int, int]
) -> Iterator[cv2.VideoWriter]:
    with replacing(path) as beside:
        codec = cv2.VideoWriter.fourcc(*CODEC)
        writer = cv2.VideoWriter(str(beside), codec, frames_per_second, resolution_wh)
        if not writer.isOpened():
            width, height = resolution_wh
            raise OutputError(
                f"cannot write {path}: OpenCV writes no {CODEC} video of {width}x{height} pixels "
                f"at {frames_per_second:g} frames per second"
            )
        try:
            yield writer
        finally:
            writer.release()
        _check_whole(path, beside)


def _check_whole(path: Path, beside: Path) -> None:
    # OpenCV does not tell that it could not write. The index comes last: if it is there, all is.
    capture = cv2.VideoCapture(str(beside), cv2.CAP_FFMPEG)
    is_whole = capture.isOpened()
    capture.release()
    if not is_whole:
        raise OutputError(f"cannot write {path}: the video is not whole; is the disk full?")
