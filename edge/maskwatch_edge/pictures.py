"""Reading and writing single pictures, RGB in memory."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from .errors import OutputError, SourceError
from .files import write_atomically
from .frame import Pixels


def read_picture(path: Path) -> Pixels:
    """Read a picture file.

    Returns:
        Shape (height, width, 3), uint8, RGB; turned as its EXIF orientation says.

    Raises:
        SourceError: If it is missing, empty or not a picture.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror}") from error
    try:
        bgr = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR) if content else None
    except cv2.error:
        bgr = None
    if bgr is None:
        raise SourceError(f"{path} is not a readable picture (JPEG, PNG, BMP or WebP)")
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), dtype=np.uint8)


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
