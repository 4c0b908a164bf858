"""The thread between the loop, the disk and the broker: each may be slow without holding up others.

All that happens comes to it through one queue, in order.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeAlias

from maskwatch_edge.closing import Closing
from maskwatch_edge.errors import OutputError
from maskwatch_edge.faults import Fault, Warn

from .backlog import Backlog
from .courier import Courier
from .link import Link, News
from .reporter import Report

LEAVE_SECONDS = 2.0
"""How long the last messages may take to reach a broker that is there."""

CLOSE_SECONDS = 8.0
"""How long the thread may take to end: a connection that is just being made takes five."""

MOST_UNWRITTEN = 10_000
"""More reports than that do not wait in memory for a disk that hangs."""

Inbox: TypeAlias = "SimpleQueue[Report | News | None]"
"""None once it is over."""


class Publisher(Closing):
    """Takes reports and returns at once; a thread does the rest.

    Args:
        link: The connection to the broker.
        open_backlog: Opens the backlog; called in the thread, as all that follows.
        hire: Makes the courier.
        warn: Told when reports are dropped, or the thread does not end.
    """

    def __init__(
        self,
        link: Link,
        open_backlog: Callable[[], Backlog],
        hire: Callable[[Link, Backlog], Courier],
        warn: Warn,
    ) -> None:
        self._link, self._open_backlog, self._hire, self._warn = link, open_backlog, hire, warn
        self._inbox: Inbox = SimpleQueue()
        self._failure: Exception | None = None
        self._is_overfull = False
        # A daemon: a disk that hangs must not keep the program from ending.
        self._thread = Thread(target=self._run, name="mqtt", daemon=True)
        self._thread.start()

    def send(self, report: Report) -> None:
        """Take a report.

        Raises:
            OutputError: If the thread has failed.
        """
        if self._failure is not None:
            kind = type(self._failure).__name__
            raise OutputError(f"telling the MQTT broker failed: {kind}: {self._failure}")
        was_overfull, self._is_overfull = self._is_overfull, self._inbox.qsize() >= MOST_UNWRITTEN
        if not self._is_overfull:
            self._inbox.put(report)
        elif not was_overfull:
            told = "the disk takes no MQTT messages at the moment; new events are dropped"
            self._warn(Fault.DISK_STUCK.once(told))

    def close(self) -> None:
        """Publish the rest if the broker is there, and take leave; may be called twice."""
        self._inbox.put(None)
        self._thread.join(CLOSE_SECONDS)
        if self._thread.is_alive():
            told = "MQTT: disk or network does not come back from a call; left behind"
            self._warn(Fault.DISK_STUCK.once(told))

    def _run(self) -> None:
        try:
            with self._open_backlog() as backlog:
                self._work(self._hire(self._link, backlog))
        except Exception as error:  # a thread has no caller to tell: `send` does
            self._failure = error
        finally:
            self._link.close()

    def _work(self, courier: Courier) -> None:
        self._link.start(self._inbox.put)
        leave_at = None
        while leave_at is None or (not courier.can_go and time.monotonic() < leave_at):
            left = None if leave_at is None else max(leave_at - time.monotonic(), 0.0)
            news = _next_of(self._inbox, left)
            courier.take([one for one in news if one is not None])
            if None in news:
                leave_at = time.monotonic() + LEAVE_SECONDS
        courier.take_leave()


def _next_of(inbox: Inbox, seconds: float | None) -> list[Report | News | None]:
    """Wait for something, and take all that is there; nothing if nothing comes in time."""
    taken: list[Report | News | None] = []
    with suppress(Empty):
        taken.append(inbox.get(timeout=seconds))
        while True:
            taken.append(inbox.get_nowait())
    return taken
