"""Loads TensorFlow, prepared for training on a processor.

"Training on a processor" in `docs/decisions.md` tells what that brings. Variables that the user has
set win.
"""

from __future__ import annotations

import ctypes
import os

from maskwatch_edge.command import need
from maskwatch_edge.quiet import quiet

M_TRIM_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX = -1, -4, -8
"""Parameters of glibc's mallopt, from its malloc.h."""

NEVER = -1


def load_tensorflow() -> None:
    """Import TensorFlow.

    Raises:
        MissingExtraError: If it is not installed.
    """
    # Off by default on processors without VNNI, though it is faster there, too.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    keep_memory()
    with quiet():
        need("tensorflow", "tensorflow", "train")


def keep_memory() -> None:
    """Let glibc keep what is freed: each step of a training asks for the same again.

    By default large blocks go back to the system at once, and half of the time goes into page
    faults. Other C libraries are left as they are.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None or any(name.startswith("MALLOC_") for name in os.environ):
        return
    mallopt(M_MMAP_MAX, 0)
    mallopt(M_TRIM_THRESHOLD, NEVER)
    mallopt(M_ARENA_MAX, 1)
