"""What is sent to the broker, and when: a state machine that is told what happens, in order."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from maskwatch_edge.faults import Fault, Warn

from .backlog import Backlog
from .link import Acknowledged, Connected, Heard, Link, Lost, Message, News
from .reporter import Report
from .topics import OFFLINE, ONLINE, Topics

MOST_ON_THEIR_WAY = 20
"""More events and statistics than that do not wait for the broker's acknowledgement."""


class Courier:
    """Carries reports to the broker, for as long as it takes.

    Events and statistics go out in order, a few at a time, and leave the backlog once the broker
    has acknowledged them. After a loss it begins again with the oldest that was not. The state is
    not kept: the newest is published when the broker is there.

    Args:
        link: The connection to the broker.
        backlog: Keeps events and statistics.
        topics: What is published where.
        discovery: What Home Assistant is told, at each connection and whenever it starts; None for
            nothing.
        warn: Told when the broker goes away or comes back.
        on_waiting: Told how many messages wait for the broker.
    """

    def __init__(
        self,
        link: Link,
        backlog: Backlog,
        topics: Topics,
        discovery: Mapping[str, Any] | None,
        warn: Warn,
        on_waiting: Callable[[int], None] = lambda messages: None,
    ) -> None:
        self._link, self._backlog, self._topics = link, backlog, topics
        self._discovery, self._warn, self._on_waiting = discovery, warn, on_waiting
        self._connection: int | None = None
        self._is_away = False
        self._state: Mapping[str, Any] | None = None
        self._is_state_new = False
        self._state_receipt: int | None = None
        self._on_their_way: dict[int, int] = {}
        """Numbers of messages that are sent and not acknowledged, by their receipts."""
        self._sent = 0
        """Number of the newest message that was sent on this connection."""

    @property
    def can_go(self) -> bool:
        """Whether all is told, or nobody is there to be told."""
        is_told = self._connection is not None and not self._backlog and not self._is_state_new
        return self._is_away or is_told

    def take(self, news: Sequence[Report | News]) -> None:
        """Take what has happened, keep what must not be lost, and send what can be sent."""
        self._keep([one for one in news if isinstance(one, Report)])
        for one in news:
            self._hear(one)
        self._backlog.remove(self._ticked_off(news))
        self._send_state()
        self._send_waiting()
        self._on_waiting(len(self._backlog))

    def take_leave(self) -> None:
        """Say that the board is going."""
        self._publish(self._topics.availability, OFFLINE)

    def _keep(self, reports: Sequence[Report]) -> None:
        if entries := [entry for report in reports for entry in report.entries]:
            self._backlog.add(entries)
        for report in reports:
            if report.state is not None:
                self._state, self._is_state_new = report.state, True

    def _hear(self, one: Report | News) -> None:
        if isinstance(one, Connected):
            self._greet(one.connection)
        elif isinstance(one, Lost):
            self._lose(one.reason)
        elif isinstance(one, Heard) and one.payload == ONLINE.encode():
            self._tell_home_assistant()

    def _greet(self, connection: int) -> None:
        if self._is_away:
            self._warn(Fault.BROKER_AWAY.ended("the MQTT broker is there now"))
        self._connection, self._is_away = connection, False
        self._on_their_way, self._sent = {}, 0
        self._state_receipt, self._is_state_new = None, self._state is not None
        self._publish(self._topics.availability, ONLINE)
        self._tell_home_assistant()

    def _lose(self, reason: str) -> None:
        if not self._is_away:
            told = f"the MQTT broker is away: {reason}; events are kept for it"
            self._warn(Fault.BROKER_AWAY.begun(told))
        self._connection, self._is_away = None, True

    def _tell_home_assistant(self) -> None:
        if self._discovery is not None:
            self._publish(self._topics.discovery_config, json.dumps(self._discovery))

    def _ticked_off(self, news: Sequence[Report | News]) -> list[int]:
        """Return the numbers of the messages that the broker has."""
        receipts = [one.receipt for one in news if isinstance(one, Acknowledged)]
        if self._state_receipt in receipts:
            self._state_receipt = None
        return [self._on_their_way.pop(one) for one in receipts if one in self._on_their_way]

    def _send_state(self) -> None:
        """Send the state if it is new, and the broker has the one before."""
        if self._is_state_new and self._state_receipt is None:
            self._state_receipt = self._publish(self._topics.state, json.dumps(self._state))
            self._is_state_new = self._state_receipt is None

    def _send_waiting(self) -> None:
        room = MOST_ON_THEIR_WAY - len(self._on_their_way)
        if self._connection is None or room <= 0:
            return
        for waiting in self._backlog.after(self._sent, room):
            topic = self._topics.events if waiting.is_event else self._topics.statistics
            receipt = self._link.publish(Message(topic, waiting.payload), self._connection)
            if receipt is None:
                return
            self._on_their_way[receipt] = self._sent = waiting.number

    def _publish(self, topic: str, payload: str) -> int | None:
        if self._connection is None:
            return None
        return self._link.publish(Message(topic, payload, is_retained=True), self._connection)
