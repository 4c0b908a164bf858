"""When to stop believing a camera."""

from __future__ import annotations

import numpy as np

from maskwatch_edge.errors import SourceError
from maskwatch_edge.frame import Pixels

GRID_PX = 16
"""Only every so manieth pixel is compared first: nearly always that settles it."""


class FreezeGuard:
    """Notices a camera that gives the very same picture again and again.

    Sensors have noise, so two pictures of a quiet room differ. What stays the same byte for byte
    comes from a driver or a camera that is stuck, or from one with its lid on.

    Args:
        limit_seconds: How long the same picture is believed.
    """

    def __init__(self, limit_seconds: float) -> None:
        self._limit = limit_seconds
        self._last: Pixels | None = None
        self._since = 0.0
        self._is_frozen = False

    def restart(self, now_seconds: float) -> None:
        """Give a camera that was opened again its time to come up with another picture."""
        self._since = now_seconds

    def is_news(self, pixels: Pixels, now_seconds: float) -> bool:
        """Tell whether a picture may be shown; not if the camera froze with it.

        Raises:
            SourceError: If it is the same for too long.
        """
        if not self._is_same(pixels):
            self._last, self._since, self._is_frozen = pixels, now_seconds, False
        elif now_seconds - self._since >= self._limit:
            self._is_frozen = True
            raise SourceError(
                f"the camera gave the very same picture for {self._limit:g} s; "
                "is it stuck, or is its lid on?"
            )
        return not self._is_frozen

    def _is_same(self, pixels: Pixels) -> bool:
        last = self._last
        if last is None or last.shape != pixels.shape:
            return False
        rough = np.s_[::GRID_PX, ::GRID_PX]
        return np.array_equal(last[rough], pixels[rough]) and np.array_equal(last, pixels)
