"""Keeping TensorFlow's own messages off the terminal."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet() -> Iterator[None]:
    """Drop what is written to stdout and stderr, and Python's warnings.

    TensorFlow's C++ side writes hundreds of lines past `sys.stderr`, straight to the file
    descriptors, and in 2.21 no setting stops them: so the descriptors themselves are turned away.
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
