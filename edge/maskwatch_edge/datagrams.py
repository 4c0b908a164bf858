"""Datagrams to systemd: a socket that is a file, and lines of `NAME=value` in one message.

systemd itself (sd_notify(3)) and its journal (its native protocol,
https://systemd.io/JOURNAL_NATIVE_PROTOCOL/) take messages of that form.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from typing import Protocol

from .closing import Closing

SEND_SECONDS = 2.0
"""How long systemd may be too busy to take a message before it is dropped."""

NAME = re.compile(r"[A-Z][A-Z0-9_]*")
"""What systemd takes for a name."""


class Datagrams(Protocol):
    """Where messages go. `close` may be called twice."""

    def send(self, message: Mapping[str, str]) -> None:
        """Send one message; its values have no line breaks.

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
    """

    def __init__(self, address: str) -> None:
        self._address = "\0" + address[1:] if address[0] == "@" else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.settimeout(SEND_SECONDS)

    def send(self, message: Mapping[str, str]) -> None:
        """Send one message; not connected, so that it also arrives after systemd re-executes."""
        self._socket.sendto(_written(message), self._address)

    def close(self) -> None:
        """Let go of the socket."""
        self._socket.close()


class FakeDatagrams(Closing):
    """Remembers what systemd would have been told, and refuses what systemd would not take."""

    def __init__(self) -> None:
        self.messages: list[dict[str, str]] = []
        self.is_closed = False

    def send(self, message: Mapping[str, str]) -> None:
        """Take one message apart and keep it."""
        if self.is_closed:
            raise OSError("the socket is closed")
        self.messages.append(read_datagram(_written(message)))

    def close(self) -> None:
        """Refuse everything from now on."""
        self.is_closed = True


def read_datagram(datagram: bytes) -> dict[str, str]:
    """Take a message apart, as systemd does.

    Raises:
        ValueError: If systemd would not take it.
    """
    pairs = [line.partition("=") for line in datagram.decode().removesuffix("\n").split("\n")]
    for name, equals, _ in pairs:
        if not equals or not NAME.fullmatch(name):
            raise ValueError(f"expected lines of NAME=value; received {datagram!r}")
    return {name: value for name, _, value in pairs}


def _written(message: Mapping[str, str]) -> bytes:
    return "".join(f"{name}={value}\n" for name, value in message.items()).encode()
