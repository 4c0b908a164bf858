"""The thread between the loop, the disk and the broker: each may be slow without holding up others.

Everything that happens comes to it through one queue, in order, and only it touches the backlog.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeAlias

from maskwatch_edge.closing import Closing
from maskwatch_edge.errors import OutputError
from maskwatch_edge.guard import Warn

from .backlog import Backlog
from .link import Acknowledged, Connected, Heard, Link, Lost, Message, News
from .reporter import Report
from .topics import OFFLINE, ONLINE, Topics

LEAVE_SECONDS = 2.0
"""How long the last messages may take to reach a broker that is there."""

CLOSE_SECONDS = 6.0
"""How long the thread may take to end: a connection that is just being made takes five."""

MOST_UNWRITTEN = 10_000
"""More reports than that do not wait in memory for a disk that hangs."""


@dataclass(frozen=True)
class Over:
    """The publisher is to end."""


Inbox: TypeAlias = "SimpleQueue[Report | News | Over]"


class Publisher(Closing):
    """Publishes reports, for as long as it takes.

    One event or statistic is on its way at a time, and leaves the backlog once the broker has
    acknowledged it. So they arrive in order, and what is sent again after a loss comes before all
    that is newer. The state is not kept: the newest is published when the broker is there.

    Args:
        link: The connection to the broker.
        open_backlog: Opens the backlog; called in the thread.
        topics: What is published where.
        discovery: What Home Assistant is told, at each connection and whenever it starts; None for
            nothing.
        warn: Told in one line when the broker goes away or comes back.
    """

    def __init__(
        self,
        link: Link,
        open_backlog: Callable[[], Backlog],
        topics: Topics,
        discovery: Mapping[str, Any] | None,
        warn: Warn,
    ) -> None:
        self._inbox: Inbox = SimpleQueue()
        self._failure: Exception | None = None
        self._is_overfull = False
        self._warn = warn
        self._worker = _Worker(link, topics, discovery, warn)
        # A daemon: a disk that hangs must not keep the program from ending.
        self._thread = Thread(target=self._run, args=(open_backlog,), name="mqtt", daemon=True)
        self._thread.start()

    def send(self, report: Report) -> None:
        """Take a report, and return at once.

        Raises:
            OutputError: If the thread has failed.
        """
        if self._failure is not None:
            kind = type(self._failure).__name__
            raise OutputError(f"telling MQTT failed: {kind}: {self._failure}")
        is_overfull, self._is_overfull = self._is_overfull, self._inbox.qsize() >= MOST_UNWRITTEN
        if not self._is_overfull:
            self._inbox.put(report)
        elif not is_overfull:
            self._warn("the disk takes no MQTT messages at the moment; new events are dropped")

    def close(self) -> None:
        """Publish the rest if the broker is there, and take leave; may be called twice."""
        self._inbox.put(Over())
        self._thread.join(CLOSE_SECONDS)
        if self._thread.is_alive():
            self._warn("MQTT: disk or network does not come back from a call; left behind")

    def _run(self, open_backlog: Callable[[], Backlog]) -> None:
        try:
            with open_backlog() as backlog:
                self._worker.run(self._inbox, backlog)
        except Exception as error:  # a thread has no caller to tell: `send` does
            self._failure = error
        finally:
            self._worker.leave()


class _Worker:
    """What the thread does; see `Publisher`."""

    def __init__(
        self, link: Link, topics: Topics, discovery: Mapping[str, Any] | None, warn: Warn
    ) -> None:
        self._link, self._topics, self._warn = link, topics, warn
        self._discovery = discovery
        self._is_connected = self._is_away = False
        self._state: Mapping[str, Any] | None = None
        self._is_state_new = False
        self._state_receipt: int | None = None
        self._on_its_way: tuple[int, int] | None = None
        """Receipt and number of the message that the broker has not acknowledged yet."""

    def run(self, inbox: Inbox, backlog: Backlog) -> None:
        """Work until it is over, and then until all is told or the broker takes too long."""
        self._link.start(inbox.put)
        while not self._take(_next_of(inbox), backlog):
            pass
        leave_at = time.monotonic() + LEAVE_SECONDS
        while self._is_worth_waiting(backlog) and (left := leave_at - time.monotonic()) > 0:
            self._take(_next_of(inbox, left), backlog)
        if self._is_connected:
            self._publish(self._topics.availability, OFFLINE)

    def leave(self) -> None:
        """Take leave of the broker."""
        self._link.close()

    def _is_worth_waiting(self, backlog: Backlog) -> bool:
        is_all_told = self._is_connected and not backlog and not self._is_state_new
        return not self._is_away and not is_all_told

    def _take(self, news: Sequence[Report | News | Over], backlog: Backlog) -> bool:
        """Take what has come; tell whether it is over."""
        reports = [one for one in news if isinstance(one, Report)]
        if entries := [entry for report in reports for entry in report.entries]:
            backlog.add(entries)
        for report in reports:
            if report.state is not None:
                self._state, self._is_state_new = report.state, True
        for one in news:
            self._hear(one, backlog)
        self._send_on(backlog)
        return any(isinstance(one, Over) for one in news)

    def _hear(self, one: Report | News | Over, backlog: Backlog) -> None:
        if isinstance(one, Connected):
            self._greet()
        elif isinstance(one, Lost):
            self._lose(one.reason)
        elif isinstance(one, Heard) and one.payload == ONLINE.encode():
            self._tell_home_assistant()
        elif isinstance(one, Acknowledged):
            self._tick_off(one.receipt, backlog)

    def _greet(self) -> None:
        if self._is_away:
            self._warn("the MQTT broker is there now")
        self._is_connected, self._is_away = True, False
        self._publish(self._topics.availability, ONLINE)
        self._tell_home_assistant()
        self._is_state_new = self._state is not None

    def _tell_home_assistant(self) -> None:
        if self._discovery is not None:
            self._publish(self._topics.discovery_config, json.dumps(self._discovery))

    def _lose(self, reason: str) -> None:
        if not self._is_away:
            self._warn(f"the MQTT broker is away: {reason}; events are kept for it")
        self._is_connected, self._is_away = False, True

    def _tick_off(self, receipt: int, backlog: Backlog) -> None:
        if self._on_its_way is not None and receipt == self._on_its_way[0]:
            backlog.remove(self._on_its_way[1])
            self._on_its_way = None
        if receipt == self._state_receipt:
            self._state_receipt = None

    def _send_on(self, backlog: Backlog) -> None:
        """Send what comes next, unless the broker is busy with what came before."""
        if not self._is_connected:
            return
        if self._is_state_new and self._state_receipt is None:
            self._state_receipt = self._publish(self._topics.state, json.dumps(self._state))
            self._is_state_new = False
        if self._on_its_way is None and (waiting := backlog.first()) is not None:
            topic = self._topics.events if waiting.is_event else self._topics.statistics
            receipt = self._link.publish(Message(topic, waiting.payload))
            self._on_its_way = receipt, waiting.number

    def _publish(self, topic: str, payload: str) -> int:
        return self._link.publish(Message(topic, payload, is_retained=True))


def _next_of(inbox: Inbox, seconds: float | None = None) -> list[Report | News | Over]:
    """Wait for something, and take all that is there; nothing if nothing comes in time."""
    taken: list[Report | News | Over] = []
    with suppress(Empty):
        taken.append(inbox.get(timeout=seconds))
        while True:
            taken.append(inbox.get_nowait())
    return taken
