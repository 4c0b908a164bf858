"""What reaches a broker that comes and goes, and that nobody waits for it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event as Flag

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwatch_edge.closing import Closing
from maskwatch_edge.errors import OutputError
from maskwatch_edge.faults import Fault, Notice
from maskwatch_edge.mqtt.backlog import Backlog, Entry
from maskwatch_edge.mqtt.courier import MOST_ON_THEIR_WAY, Courier
from maskwatch_edge.mqtt.fake_link import FakeLink
from maskwatch_edge.mqtt.link import News
from maskwatch_edge.mqtt.publisher import MOST_UNWRITTEN, Publisher
from maskwatch_edge.mqtt.reporter import Report
from maskwatch_edge.mqtt.topics import Topics

TOPICS = Topics("maskwatch", "door", "homeassistant")
DISCOVERY: dict[str, object] = {"device": {}}
IN_MEMORY = Path("/dev/null/none")
PATIENCE_SECONDS = 60.0


class Street(Closing):
    """A courier with a fake link and a backlog in memory, turned by hand."""

    def __init__(self, has_discovery: bool = True) -> None:
        self.warnings: list[Notice] = []
        self.backlog = Backlog(IN_MEMORY, "door-1", 1000, lambda line: None)
        self.link = FakeLink()
        discovery = DISCOVERY if has_discovery else None
        self.waiting: list[int] = []
        self.courier = Courier(
            self.link,
            self.backlog,
            TOPICS,
            discovery,
            self.warnings.append,
            self.waiting.append,
        )
        self._news: list[Report | News] = []
        self._count = 0
        self.link.start(self._news.append)

    def close(self) -> None:
        self.backlog.close()

    def happen(self, count: int = 1, state: object = None) -> None:
        """Let events happen, numbered in order."""
        names = range(self._count, self._count + count)
        self._count += count
        entries = tuple(Entry(True, {"text": name}) for name in names)
        self._news.append(Report(entries, None if state is None else {"state": state}))

    def turn(self) -> None:
        """Let the courier take all that has come."""
        news, self._news[:] = list(self._news), []
        self.courier.take(news)

    @property
    def events(self) -> list[int]:
        """The events that reached the broker."""
        return [json.loads(payload)["text"] for payload in self.link.payloads_on(TOPICS.events)]


@pytest.fixture
def street() -> Iterator[Street]:
    with Street() as street:
        yield street


def test_how_many_messages_wait_is_told(street: Street) -> None:
    street.happen(2)
    street.turn()
    street.happen(1)
    street.turn()
    assert street.waiting == [2, 3]
    street.link.connect()
    street.turn()
    street.link.acknowledge()
    street.turn()
    assert street.waiting[-1] == 0


def test_a_broker_that_comes_is_greeted_and_then_told_everything(street: Street) -> None:
    street.happen(2, state="first")
    street.turn()
    street.happen(1, state="second")
    street.turn()
    assert street.link.published == []
    street.link.connect()
    street.turn()
    told = [(message.topic, message.is_retained) for message in street.link.published]
    assert told == [
        (TOPICS.availability, True),
        (TOPICS.discovery_config, True),
        (TOPICS.state, True),
        *3 * [(TOPICS.events, False)],
    ]
    assert street.link.payloads_on(TOPICS.availability) == ["online"]
    assert street.link.payloads_on(TOPICS.state) == ['{"state": "second"}']
    assert street.events == [0, 1, 2]
    assert street.warnings == []


def test_events_stay_until_they_are_acknowledged_and_only_a_few_are_on_their_way(
    street: Street,
) -> None:
    street.happen(50)
    street.link.connect()
    street.turn()
    assert len(street.events) == MOST_ON_THEIR_WAY
    assert len(street.backlog) == 50
    street.link.acknowledge(2 + 5)  # of availability and discovery, too
    street.turn()
    assert street.events == list(range(MOST_ON_THEIR_WAY + 5))
    assert len(street.backlog) == 45


def test_after_a_loss_it_begins_with_the_oldest_that_was_not_acknowledged(street: Street) -> None:
    street.happen(4)
    street.link.connect()
    street.turn()
    street.link.acknowledge(2 + 2)
    street.link.lose()
    street.happen(1)
    street.turn()
    street.link.connect()
    street.turn()
    assert street.events == [0, 1, 2, 3, 2, 3, 4]


def test_what_is_told_of_a_lost_connection_in_one_go_with_the_next_one_is_told_apart(
    street: Street,
) -> None:
    street.happen(3)
    street.link.connect()
    street.turn()
    street.link.acknowledge(2 + 1)
    street.link.lose()
    street.link.connect()
    street.happen(1)
    street.turn()
    # The acknowledgement of event 0 was of the connection before: once more does no harm.
    assert street.events == [0, 1, 2, 0, 1, 2, 3]
    street.link.acknowledge()
    street.turn()
    assert len(street.backlog) == 0


def test_the_state_waits_for_the_one_before_and_the_newest_wins(street: Street) -> None:
    street.link.connect()
    for number in range(5):
        street.happen(0, state=number)
        street.turn()
    assert street.link.payloads_on(TOPICS.state) == ['{"state": 0}']
    street.link.acknowledge()
    street.turn()
    assert street.link.payloads_on(TOPICS.state) == ['{"state": 0}', '{"state": 4}']


def test_home_assistant_is_told_again_when_it_starts_and_not_when_it_ends(street: Street) -> None:
    street.link.connect()
    street.turn()
    for payload, count in ((b"offline", 1), (b"online", 2), (b"\xff", 2)):
        street.link.hear(payload)
        street.turn()
        assert street.link.payloads_on(TOPICS.discovery_config) == count * [json.dumps(DISCOVERY)]


def test_home_assistant_is_not_told_if_it_is_not_wanted() -> None:
    with Street(has_discovery=False) as street:
        street.link.connect()
        street.link.hear(b"online")
        street.turn()
        assert {message.topic for message in street.link.published} == {TOPICS.availability}


def test_that_the_broker_is_away_is_told_once_and_so_is_its_return(street: Street) -> None:
    for _ in range(3):
        street.link.lose("broker.example:1883: no route to host")
        street.turn()
    street.link.connect()
    street.turn()
    told = "the MQTT broker is away: broker.example:1883: no route to host; events are kept for it"
    assert street.warnings == [
        Fault.BROKER_AWAY.begun(told),
        Fault.BROKER_AWAY.ended("the MQTT broker is there now"),
    ]


def test_it_can_go_when_all_is_told_or_nobody_listens(street: Street) -> None:
    street.happen(1, state=1)
    street.turn()
    assert not street.courier.can_go  # the broker may answer any moment
    street.link.connect()
    street.turn()
    assert not street.courier.can_go
    street.link.acknowledge()
    street.turn()
    assert street.courier.can_go
    street.happen(1)
    street.link.lose()
    street.turn()
    assert street.courier.can_go
    street.courier.take_leave()
    assert "offline" not in street.link.payloads_on(TOPICS.availability)


ACTS = st.sampled_from(["happen", "connect", "lose", "acknowledge", "acknowledge one", "turn"])


@given(st.lists(ACTS, max_size=60))
def test_whatever_happens_every_event_arrives_in_order(acts: list[str]) -> None:
    with Street() as street:
        happened = 0
        for act in acts:
            if act == "happen":
                street.happen(7)
                happened += 7
            elif act == "acknowledge one":
                street.link.acknowledge(1)
            else:
                getattr(street if act == "turn" else street.link, act)()
        street.link.connect()
        street.turn()
        while len(street.backlog):
            street.link.acknowledge()
            street.turn()
        first_times = list(dict.fromkeys(street.events))
        assert first_times == list(range(happened))


# --- the thread


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.002)


@pytest.fixture
def link() -> FakeLink:
    return FakeLink()


@pytest.fixture
def gate() -> Flag:
    """Give a flag without which the disk hangs."""
    return Flag()


@pytest.fixture
def publisher(link: FakeLink, gate: Flag, warnings: list[Notice]) -> Iterator[Publisher]:
    def open_backlog() -> Backlog:
        gate.wait(PATIENCE_SECONDS)
        return Backlog(IN_MEMORY, "door-1", 100_000, lambda line: None)

    def hire(link: object, backlog: Backlog) -> Courier:
        assert isinstance(link, FakeLink)
        return Courier(link, backlog, TOPICS, None, warnings.append)

    made = Publisher(link, open_backlog, hire, warnings.append)
    with made:
        yield made
        gate.set()


@pytest.fixture
def warnings() -> list[Notice]:
    return []


def one_event(number: int) -> Report:
    return Report((Entry(True, {"text": number}),), None)


def test_a_disk_that_hangs_holds_nobody_up_and_memory_stays_bounded(
    publisher: Publisher, link: FakeLink, gate: Flag, warnings: list[Notice]
) -> None:
    for number in range(MOST_UNWRITTEN + 10):
        publisher.send(one_event(number))  # would not return
    told = "the disk takes no MQTT messages at the moment; new events are dropped"
    assert warnings == [Fault.DISK_STUCK.once(told)]
    gate.set()
    until(lambda: link._tell is not None)
    link.connect()
    until(lambda: len(link.payloads_on(TOPICS.events)) == MOST_ON_THEIR_WAY)
    link.lose()


def test_at_the_end_the_rest_is_told_and_leave_is_taken(
    publisher: Publisher, link: FakeLink, gate: Flag
) -> None:
    gate.set()
    until(lambda: link._tell is not None)
    link.connect()
    publisher.send(one_event(0))
    until(lambda: bool(link.payloads_on(TOPICS.events)))
    link.acknowledge()
    publisher.close()
    publisher.close()
    assert link.payloads_on(TOPICS.availability) == ["online", "offline"]
    assert link.is_closed


def test_a_fault_of_ours_comes_out_where_reports_are_sent(warnings: list[Notice]) -> None:
    def broken() -> Backlog:
        raise ZeroDivisionError("a bug")

    link = FakeLink()
    with Publisher(link, broken, lambda *_: pytest.fail("never"), warnings.append) as publisher:
        until(lambda: link.is_closed)
        with pytest.raises(OutputError, match=r"the MQTT broker failed: ZeroDivisionError: a bug"):
            publisher.send(one_event(0))
