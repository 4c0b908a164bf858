"""What happens, told to everybody who listens, each at its own pace and none for ever."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

MOST_WAITING = 100
"""Who leaves so many messages lying is gone, or too slow."""


class Listener:
    """One who listens, and what has not been sent to it yet."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(MOST_WAITING)
        self.is_lost = False

    @property
    def waiting(self) -> int:
        """How many messages have not been taken yet."""
        return self._queue.qsize()

    def put(self, message: bytes) -> None:
        """Leave a message; if there are too many, the listener is lost."""
        try:
            self._queue.put_nowait(message)
        except asyncio.QueueFull:
            self.is_lost = True

    async def take(self) -> bytes:
        """Wait for the next message."""
        return await self._queue.get()


class Feed:
    """Packs each message once, for all who listen."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()

    @property
    def is_heard(self) -> bool:
        """Whether anybody listens."""
        return bool(self._listeners)

    @property
    def depth(self) -> int:
        """How many messages wait for the slowest listener."""
        return max((listener.waiting for listener in self._listeners), default=0)

    def publish(self, name: str, data: dict[str, Any]) -> None:
        """Tell everybody; see `packed`."""
        if self._listeners:
            message = packed(name, data)
            for listener in self._listeners:
                listener.put(message)

    @contextmanager
    def listening(self) -> Iterator[Listener]:
        """Give a listener that is told everything as long as the block lasts."""
        listener = Listener()
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)


def packed(name: str, data: dict[str, Any]) -> bytes:
    """Return a server-sent event: https://html.spec.whatwg.org/multipage/server-sent-events.html."""
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()
