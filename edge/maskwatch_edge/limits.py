"""How large a picture may be.

OpenCV reads its limit while it is loaded, so this comes before it. A program that has loaded OpenCV
before Maskwatch keeps OpenCV's own, of a thousand million pixels.
"""

from __future__ import annotations

import os

MAX_PIXELS = 64_000_000
"""More pixels than any camera of a phone gives, and 200 MB in memory."""

MAX_BYTES = 256 * 1024 * 1024
"""Of the file of a picture."""

os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"] = str(MAX_PIXELS)
