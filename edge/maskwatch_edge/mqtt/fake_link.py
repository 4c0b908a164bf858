"""A connection to a broker that is made and lost by hand, for tests."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from .link import Acknowledged, Connected, Heard, Lost, Message, News


class FakeLink:
    """Remembers what was published, and acknowledges it when it is told to.

    As with a real one, what was not acknowledged when the connection is lost never is, although
    the broker may have it; and nothing can be sent on a connection that was lost.

    Attributes:
        published: All that reached the broker, in order.
    """

    def __init__(self) -> None:
        self.published: list[Message] = []
        self.is_closed = False
        self._tell: Callable[[News], None] | None = None
        self._receipts, self._connections = count(1), count(1)
        self._connection: int | None = None
        self._unacknowledged: list[int] = []

    def start(self, tell: Callable[[News], None]) -> None:
        """Remember who is told; nothing happens until `connect`."""
        if self._tell is not None:
            raise RuntimeError("a link is started once")
        self._tell = tell

    def publish(self, message: Message, connection: int) -> int | None:
        """Let a message reach the broker."""
        if connection != self._connection:
            return None
        self.published.append(message)
        receipt = next(self._receipts)
        self._unacknowledged.append(receipt)
        return receipt

    def close(self) -> None:
        """Take leave."""
        self.is_closed = True
        self._connection = None

    def connect(self) -> None:
        """Let the broker be there."""
        self._connection, self._unacknowledged = next(self._connections), []
        self._say(Connected(self._connection))

    def lose(self, reason: str = "gone") -> None:
        """Let the broker be away."""
        self._connection, self._unacknowledged = None, []
        self._say(Lost(reason))

    def acknowledge(self, most: int | None = None) -> None:
        """Acknowledge the oldest messages, or all."""
        done = self._unacknowledged[:most]
        del self._unacknowledged[:most]
        for receipt in done:
            self._say(Acknowledged(receipt))

    def hear(self, payload: bytes) -> None:
        """Let somebody publish on the topic that was asked for."""
        self._say(Heard(payload))

    def payloads_on(self, topic: str) -> list[str]:
        """Return what was published on a topic."""
        return [message.payload for message in self.published if message.topic == topic]

    def _say(self, news: News) -> None:
        if self._tell is None:
            raise RuntimeError("the link was not started")
        self._tell(news)
