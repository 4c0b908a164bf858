"""Telling systemd how the service is doing: the protocol of sd_notify(3).

A message is a datagram of `NAME=value` lines on the socket named by `$NOTIFY_SOCKET`. Without
that variable, as in a terminal, nothing is sent and nobody need ask.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from .closing import Closing
from .datagrams import Datagrams, DatagramSocket
from .errors import InputError
from .fault_log import warn
from .faults import Fault, Warn

LONGEST_STATUS = 200
"""Characters of a status line; `systemctl status` shows one line."""


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
        notify_socket: Datagrams | None,
        watchdog_seconds: float | None = None,
        warn: Warn = warn,
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
            self._socket.send(message)
        except OSError as error:
            if not self._has_warned:
                told = f"cannot tell systemd how the service is doing: {error}"
                self._warn(Fault.SYSTEMD_UNREACHABLE.once(told))
            self._has_warned = True


def _status(text: str) -> dict[str, str]:
    """Make one line of it: a line break would begin the next value."""
    line = " ".join(text.split())[:LONGEST_STATUS]
    return {"STATUS": line} if line else {}


def open_notifier(
    warn: Warn, environment: Mapping[str, str] | None = None, process: int | None = None
) -> Notifier:
    """Open the notifier that systemd asks for, or one that sends nothing.

    Args:
        warn: Told of the first message that cannot be sent.
        environment: `os.environ`, unless a test knows better.
        process: Number of this process, to which `$WATCHDOG_PID` is compared.

    Raises:
        InputError: If `$NOTIFY_SOCKET` is no address.
    """
    environment = os.environ if environment is None else environment
    address = environment.get("NOTIFY_SOCKET")
    if not address:
        return Notifier(None, warn=warn)
    if address[0] not in "/@":
        raise InputError(f"NOTIFY_SOCKET must be a path or @name; received {address!r}")
    seconds = _watchdog_seconds(environment, os.getpid() if process is None else process)
    return Notifier(DatagramSocket(address), seconds, warn)


def _watchdog_seconds(environment: Mapping[str, str], process: int) -> float | None:
    """Read the watchdog's time; it may be meant for a parent of this process."""
    if environment.get("WATCHDOG_PID", str(process)) != str(process):
        return None
    text = environment.get("WATCHDOG_USEC", "")
    return int(text) / 1_000_000 if text.isdecimal() and int(text) > 0 else None
