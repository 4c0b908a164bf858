"""How large what comes from outside may be.

OpenCV reads its limit while it is loaded, so this comes before it. A program that has loaded OpenCV
before Maskwatch keeps OpenCV's own, of a thousand million pixels.
"""

from __future__ import annotations

import os

MAX_PIXELS = 64_000_000
"""Of a picture, or a frame of a video: more than any camera of a phone gives, 200 MB in memory."""

TOO_MANY_PIXELS = f"has more than {MAX_PIXELS // 1_000_000} million pixels; make it smaller"

MAX_BYTES = 256 * 1024 * 1024
"""Of the file of a picture or a model."""

MAX_ANNOTATION_BYTES = 1024 * 1024
"""Of the annotation of a frame: some thousand faces."""

MAX_FACES = 100
"""Of a frame: the surest ones are judged, whatever a finder reports; a look takes bounded time."""

os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"] = str(MAX_PIXELS)
