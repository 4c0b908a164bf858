"""What systemd is told, over a real socket."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwatch_edge.datagrams import FakeDatagrams
from maskwatch_edge.errors import InputError
from maskwatch_edge.fault_log import warn
from maskwatch_edge.faults import Fault, Notice
from maskwatch_edge.notify import Notifier, open_notifier


@pytest.fixture(params=["path", "abstract name"])
def systemd(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[str, Callable[[], str]]]:
    """Give an address as systemd writes it, and a function that takes the next message there."""
    is_path = request.param == "path"
    name = str(tmp_path / "notify") if is_path else f"maskwatch-test-{secrets.token_hex(8)}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(name if is_path else f"\0{name}")
        listener.settimeout(10)
        yield (name if is_path else f"@{name}"), lambda: listener.recv(4096).decode()


def test_messages_arrive_as_systemd_expects_them(systemd: tuple[str, Callable[[], str]]) -> None:
    address, receive = systemd
    environment = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"}
    with open_notifier(warn, environment, process=7) as notifier:
        notifier.ready("watching 0")
        assert receive() == "READY=1\nSTATUS=watching 0\n"
        notifier.feed_watchdog()
        assert receive() == "WATCHDOG=1\n"
        notifier.status("8.2 frames per second")
        assert receive() == "STATUS=8.2 frames per second\n"
        notifier.reloading(now_seconds=12.5)
        assert receive() == "RELOADING=1\nMONOTONIC_USEC=12500000\n"
        notifier.ready()
        assert receive() == "READY=1\n"
        notifier.stopping("asked to end")
        assert receive() == "STOPPING=1\nSTATUS=asked to end\n"


WATCHDOGS = [
    ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"}, 30.0),
    ({"WATCHDOG_USEC": "500000"}, 0.5),  # systemd sets both, others may not
    ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"}, None),  # meant for a parent
    ({}, None),
    ({"WATCHDOG_USEC": "0"}, None),
    ({"WATCHDOG_USEC": "soon"}, None),
]


@pytest.mark.parametrize(("variables", "expected"), WATCHDOGS)
def test_the_watchdog_is_read_from_the_environment(
    variables: dict[str, str], expected: float | None
) -> None:
    with open_notifier(warn, {"NOTIFY_SOCKET": "@nobody"} | variables, process=7) as notifier:
        assert notifier.watchdog_seconds == expected
        assert notifier.feed_seconds == (expected / 2 if expected else None)


def test_without_systemd_nothing_is_sent_and_nothing_fails() -> None:
    with open_notifier(warn, {"WATCHDOG_USEC": "30000000"}) as notifier:
        notifier.ready("watching")
        notifier.feed_watchdog()
        notifier.stopping()
        assert notifier.watchdog_seconds is None


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match=r"NOTIFY_SOCKET must be a path or @name.*'vsock:2:1'"):
        open_notifier(warn, {"NOTIFY_SOCKET": "vsock:2:1"})


def test_a_watchdog_that_was_not_asked_for_is_not_fed() -> None:
    fake = FakeDatagrams()
    Notifier(fake).feed_watchdog()
    assert fake.messages == []


def test_messages_that_cannot_be_sent_are_told_once(tmp_path: Path) -> None:
    warnings: list[Notice] = []
    fake = FakeDatagrams()
    notifier = Notifier(fake, watchdog_seconds=30, warn=warnings.append)
    fake.close()
    notifier.feed_watchdog()
    notifier.feed_watchdog()
    told = "cannot tell systemd how the service is doing: the socket is closed"
    assert warnings == [Fault.SYSTEMD_UNREACHABLE.once(told)]


def test_a_socket_that_is_gone_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open_notifier(warn, {"NOTIFY_SOCKET": str(tmp_path / "gone")}) as notifier:
        notifier.ready()
    assert "cannot tell systemd how the service is doing:" in capsys.readouterr().err


def test_closing_twice_and_speaking_afterwards_is_harmless() -> None:
    fake = FakeDatagrams()
    notifier = Notifier(fake)
    notifier.close()
    notifier.close()
    notifier.ready()
    assert fake.is_closed
    assert fake.messages == []


@given(text=st.text())
def test_a_status_never_becomes_another_value(text: str) -> None:
    fake = FakeDatagrams()
    Notifier(fake).ready(text.encode(errors="replace").decode())
    (message,) = fake.messages
    assert set(message) <= {"READY", "STATUS"}
    assert message["READY"] == "1"
