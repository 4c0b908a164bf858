"""Telling systemd how the service is doing: the protocol of sd_notify(3).

A message is a datagram of `NAME=value` lines on the socket named by `$NOTIFY_SOCKET`. Without
that variable, as in a terminal, nothing is sent and nobody need ask.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from typing import Protocol

from .closing import Closing
from .errors import InputError
from .printing import warn_on_stderr

SEND_SECONDS = 2.0
"""How long systemd may be too busy to take a message before it is dropped."""

LONGEST_STATUS = 200
"""Characters of a status line; `systemctl status` shows one line."""


class NotifySocket(Protocol):
    """Where messages go. `close` may be called twice."""

    def send(self, message: bytes) -> None:
        """Send one message.

        Raises:
            OSError: If it cannot be sent.
        """
        ...

    def close(self) -> None:
        """Let go of the socket."""
        ...


class DatagramSocket(Closing):
    """The real socket.

    Args:
        address: A path, or `@name` for Linux's abstract names, as systemd writes them.

    Raises:
        InputError: If it is neither.
    """

    def __init__(self, address: str) -> None:
        if address[:1] not in ("/", "@"):
            raise InputError(f"NOTIFY_SOCKET must be a path or @name; received {address!r}")
        self._address = "\0" + address[1:] if address[0] == "@" else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.settimeout(SEND_SECONDS)

    def send(self, message: bytes) -> None:
        """Send one message; not connected, so that it also arrives after systemd re-executes."""
        self._socket.sendto(message, self._address)

    def close(self) -> None:
        """Let go of the socket."""
        self._socket.close()


class FakeNotifySocket(Closing):
    """Remembers what systemd would have been told, and refuses what systemd would not take."""

    def __init__(self) -> None:
        self.messages: list[dict[str, str]] = []
        self.is_closed = False

    def send(self, message: bytes) -> None:
        """Take one message apart and keep it."""
        if self.is_closed:
            raise OSError("the socket is closed")
        lines = message.decode().splitlines()
        self.messages.append(dict(line.split("=", 1) for line in lines))

    def close(self) -> None:
        """Refuse everything from now on."""
        self.is_closed = True


class Notifier(Closing):
    """Says what a service says to systemd.

    A message that cannot be sent is told once and dropped: the service works without it, and
    systemd's watchdog acts if it was the watchdog's.

    Args:
        notify_socket: None if nobody listens.
        watchdog_seconds: Within which systemd wants a sign of life; None if it does not ask.
        warn: Told of the first message that cannot be sent.
    """

    def __init__(
        self,
        notify_socket: NotifySocket | None,
        watchdog_seconds: float | None = None,
        warn: Callable[[str], None] = warn_on_stderr,
    ) -> None:
        self._socket = notify_socket
        self._warn = warn
        self._has_warned = False
        self.watchdog_seconds = watchdog_seconds

    @property
    def feed_seconds(self) -> float | None:
        """How often to feed the watchdog: at half its time, as sd_watchdog_enabled(3) advises."""
        return None if self.watchdog_seconds is None else self.watchdog_seconds / 2

    def ready(self, status: str = "") -> None:
        """Say that the service has started, or has finished reloading."""
        self._send({"READY": "1"} | _status(status))

    def status(self, text: str) -> None:
        """Set the line that `systemctl status` shows."""
        self._send(_status(text))

    def feed_watchdog(self) -> None:
        """Give a sign of life; only ever called where work was really done."""
        if self.watchdog_seconds is not None:
            self._send({"WATCHDOG": "1"})

    def reloading(self, now_seconds: float) -> None:
        """Say that the settings are read anew; `ready` ends it.

        Args:
            now_seconds: The monotonic clock: by it systemd matches the message to its request.
        """
        self._send({"RELOADING": "1", "MONOTONIC_USEC": str(int(now_seconds * 1_000_000))})

    def stopping(self, status: str = "") -> None:
        """Say that the service is about to end."""
        self._send({"STOPPING": "1"} | _status(status))

    def close(self) -> None:
        """Let go of the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, message: Mapping[str, str]) -> None:
        if self._socket is None or not message:
            return
        try:
            self._socket.send(
                "\n".join(f"{name}={text}" for name, text in message.items()).encode()
            )
        except OSError as error:
            if not self._has_warned:
                self._warn(f"cannot tell systemd how the service is doing: {error}")
            self._has_warned = True


def _status(text: str) -> dict[str, str]:
    """Make one line of it: a line break would begin the next value."""
    line = " ".join(text.split())[:LONGEST_STATUS]
    return {"STATUS": line} if line else {}


def open_notifier(
    environment: Mapping[str, str] | None = None, process: int | None = None
) -> Notifier:
    """Open the notifier that systemd asks for, or one that sends nothing.

    Args:
        environment: `os.environ`, unless a test knows better.
        process: Number of this process, to which `$WATCHDOG_PID` is compared.

    Raises:
        InputError: If `$NOTIFY_SOCKET` is no address.
    """
    environment = os.environ if environment is None else environment
    address = environment.get("NOTIFY_SOCKET")
    if not address:
        return Notifier(None)
    seconds = _watchdog_seconds(environment, os.getpid() if process is None else process)
    return Notifier(DatagramSocket(address), seconds)


def _watchdog_seconds(environment: Mapping[str, str], process: int) -> float | None:
    """Read the watchdog's time; it may be meant for a parent of this process."""
    if environment.get("WATCHDOG_PID", str(process)) != str(process):
        return None
    text = environment.get("WATCHDOG_USEC", "")
    return int(text) / 1_000_000 if text.isdecimal() and int(text) > 0 else None
