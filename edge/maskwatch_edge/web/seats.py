"""Places for viewers: so many and no more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

RETRY_SECONDS = 10


class Seats:
    """A number of places.

    Args:
        most: How many.

    Attributes:
        most: How many there are.
        taken: How many are taken now.
        refused: How many viewers found none, since the start.
        dropped: How many lost theirs as they were too slow, since the start.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.taken = self.refused = self.dropped = 0

    @contextmanager
    def seat(self) -> Iterator[None]:
        """Hold a place as long as the block lasts.

        Raises:
            web.HTTPServiceUnavailable: If all are taken.
        """
        if self.taken >= self.most:
            self.refused += 1
            raise web.HTTPServiceUnavailable(
                headers={"Retry-After": str(RETRY_SECONDS)},
                text=f"{self.most} viewers watch already, which is web.max_viewers",
            )
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1
