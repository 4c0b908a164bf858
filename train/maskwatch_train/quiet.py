"""Keeping TensorFlow's chatter out of the messages of the program."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

LEVEL_VARIABLE = "TF_CPP_MIN_LOG_LEVEL"
"""TensorFlow's own switch: 0 lets everything through, 3 only what ends the process."""


@contextmanager
def hushed() -> Iterator[None]:
    """Hold back what TensorFlow's C++ side says on stderr while it is imported in the block.

    Its switch does not reach what is said before its logging is set up: a handful of lines about
    CUDA and oneDNN at every start. If the import fails they are given out after all. Whoever sets
    `TF_CPP_MIN_LOG_LEVEL` hears what they ask for.
    """
    if LEVEL_VARIABLE in os.environ:
        yield
        return
    os.environ[LEVEL_VARIABLE] = "3"
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            _give_out(held.fileno(), stderr)
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


def _give_out(held: int, stderr: int) -> None:
    os.lseek(held, 0, os.SEEK_SET)
    with os.fdopen(os.dup(held), "rb") as said, os.fdopen(os.dup(stderr), "wb") as out:
        shutil.copyfileobj(said, out)
