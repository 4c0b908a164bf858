"""How long to wait before what failed is tried again."""

from __future__ import annotations

import random
from collections.abc import Callable

JITTER = 0.1
"""Waits are up to this share longer, so that many boards do not call one server in step."""


class Backoff:
    """Waits that double, and start again at the first once something worked for a while.

    Args:
        first_seconds: The first wait.
        longest_seconds: No wait is longer, but for the jitter.
        chance: Gives numbers in [0, 1).
    """

    def __init__(
        self,
        first_seconds: float,
        longest_seconds: float,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._first, self._longest, self._chance = first_seconds, longest_seconds, chance
        self._next = first_seconds
        self._last = 0.0

    def next_seconds(self) -> float:
        """Return how long to wait this time."""
        self._last, self._next = self._next, min(2 * self._next, self._longest)
        return self._last * (1 + JITTER * self._chance())

    def worked(self, seconds: float) -> None:
        """Take note that it worked for so long.

        What breaks sooner than it was waited for goes on being waited for longer and longer.
        """
        if seconds > self._last:
            self.reset()

    def reset(self) -> None:
        """Start again with the first wait."""
        self._next, self._last = self._first, 0.0
