"""Asking for the count, from inside of the emulated board."""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Callable
from contextlib import suppress

SIGN = 0x4D57


def mark() -> None:
    """Ask the counter to write down how far it is; counter.c knows the call."""
    with suppress(OSError):
        os.getpriority(SIGN, 0)


def count(name: str, act: Callable[[], object], times: int = 1, **facts: object) -> None:
    """Let an act be counted, after it was done twice to touch all that it needs.

    Four marks: around `times` acts, and around twice as many. The difference of the differences is
    that of the acts alone.

    Args:
        name: What the host calls it.
        act: Is counted.
        times: More make a count of little acts steadier.
        facts: The host is told of them, too.
    """
    for _ in range(2):
        act()
    gc.collect()
    gc.disable()
    for repeats in (times, 2 * times):
        mark()
        for _ in range(repeats):
            act()
        mark()
    gc.enable()
    print(json.dumps({"name": name, "times": times, **facts}), flush=True)
