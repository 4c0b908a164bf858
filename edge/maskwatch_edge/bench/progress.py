"""How far a measurement is: a bar on the terminal of whoever waits, and nothing elsewhere."""

from __future__ import annotations

import sys
from typing import TextIO

WIDTH = 30


class Progress:
    """A bar that grows in its place.

    Args:
        total: What is to be done, in steps.
        stream: Where it is drawn, if that is a terminal; stderr if not given.
    """

    def __init__(self, total: int, stream: TextIO | None = None) -> None:
        self._total = total
        self._stream = sys.stderr if stream is None else stream
        self._is_shown = self._stream.isatty()
        self._drawn = ""

    def show(self, done: int) -> None:
        """Draw the bar anew if it looks different now."""
        if not self._is_shown:
            return
        filled = WIDTH * done // self._total
        bar = f"[{'#' * filled}{'.' * (WIDTH - filled)}] {100 * done // self._total} %"
        if bar != self._drawn:
            self._write(f"\r{bar}")
            self._drawn = bar

    def clear(self) -> None:
        """Take the bar away; may be called twice."""
        if self._drawn:
            self._write(f"\r{' ' * len(self._drawn)}\r")
            self._drawn = ""

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
