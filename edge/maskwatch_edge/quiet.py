"""Keeps the libraries' own chatter off stdout and stderr.

Whatever fails is told in one line of Maskwatch's own; OpenCV, FFmpeg, pygame and TensorFlow would
add theirs. They read their variables while they are imported, so this comes before every other
module. Set a variable yourself to hear that library again.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

CHATTER = {
    "OPENCV_LOG_LEVEL": "SILENT",
    "OPENCV_FFMPEG_LOGLEVEL": "-8",  # AV_LOG_QUIET
    "PYGAME_HIDE_SUPPORT_PROMPT": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}

for variable, silence in CHATTER.items():
    os.environ.setdefault(variable, silence)


@contextmanager
def quiet() -> Iterator[None]:
    """Drop what is written to stdout and stderr, and Python's warnings.

    The C++ side of TensorFlow and LiteRT writes past `sys.stderr`, straight to the file
    descriptors, and no setting stops all of it: so the descriptors themselves are turned away.
    """
    saved = [(descriptor, os.dup(descriptor)) for descriptor in (1, 2)]
    _flush()
    sink = os.open(os.devnull, os.O_WRONLY)
    try:
        for descriptor, _ in saved:
            os.dup2(sink, descriptor)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        _flush()
        for descriptor, copy in saved:
            os.dup2(copy, descriptor)
            os.close(copy)
        os.close(sink)


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
