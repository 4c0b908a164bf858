"""Reading and writing single pictures, RGB in memory."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from .errors import OutputError, SourceError
from .files import read_at_most, write_atomically
from .frame import Pixels
from .limits import MAX_BYTES, TOO_MANY_PIXELS


def read_picture(path: Path) -> Pixels:
    """Read a picture file.

    Returns:
        Shape (height, width, 3), uint8, RGB; turned as its EXIF orientation says.

    Raises:
        SourceError: If it is missing, empty, not a picture, or too large; see `limits`.
    """
    content = _read_bytes(path)
    try:
        bgr = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR) if content else None
    except cv2.error as error:
        if "MAX_IMAGE_PIXELS" in str(error):
            raise SourceError(f"{path} {TOO_MANY_PIXELS}") from error
        bgr = None
    if bgr is None:
        raise SourceError(f"{path} is not a readable picture (JPEG, PNG, BMP or WebP)")
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def _read_bytes(path: Path) -> bytes:
    try:
        return read_at_most(path, MAX_BYTES)
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror}") from error


def write_picture(path: Path, pixels: Pixels) -> None:
    """Write a picture; the suffix tells the format.

    Raises:
        OutputError: If the format is unknown or the file cannot be written.
    """
    try:
        is_encoded, content = cv2.imencode(path.suffix, cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    except cv2.error:
        is_encoded = False
    if not is_encoded:
        raise OutputError(f"cannot write {path}: unknown picture format {path.suffix!r}")
    write_atomically(path, content.tobytes())
