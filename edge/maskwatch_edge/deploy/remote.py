"""Reaching a board with the system's own ssh, which never asks a question here."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from maskwatch_edge.errors import MaskwatchError
from maskwatch_edge.faults import Fault

CONNECT_SECONDS = 30
STDERR = 2
ASK_SECONDS = 300
"""A board that is starting, or is emulated, takes its time."""

LOST = 255
"""What ssh itself returns if it cannot connect, or loses the connection."""


class BoardError(MaskwatchError, OSError):
    """A board cannot be reached, or cannot take what it is to be given."""

    fault = Fault.BOARD_REFUSED


@dataclass(frozen=True)
class Address:
    """How to reach a board.

    Attributes:
        target: What ssh takes: `pi@board.local`, or a name in the user's ssh configuration.
        port: None for ssh's default.
        identity: A private key; None for ssh's own choice.
        options: As after ssh's `-o`.

    Raises:
        BoardError: If the target would be taken for an option.
    """

    target: str
    port: int | None = None
    identity: Path | None = None
    options: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[^\s-]\S*", self.target):
            raise BoardError(f"expected a board such as pi@board.local; received {self.target!r}")

    def command(self, remote: Sequence[str]) -> list[str]:
        """Return the command line that runs a command there, without ever asking a question."""
        words = ["ssh", "-T", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={CONNECT_SECONDS}"]
        words += ["-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=8"]
        words += ["-p", str(self.port)] if self.port else []
        words += ["-i", str(self.identity)] if self.identity else []
        words += [word for option in self.options for word in ("-o", option)]
        return [*words, "--", self.target, shlex.join(remote)]


class Remote(Protocol):
    """A machine on which commands can be run."""

    def ask(self, script: str) -> str:
        """Run a shell script there and return what it prints.

        Raises:
            BoardError: If it cannot be reached, or the script fails.
        """
        ...

    def send(self, command: Sequence[str], write: Callable[[IO[bytes]], None]) -> int:
        """Run a command there, feed it, let its words through to stderr; return its exit code."""
        ...


class Ssh:
    """The real one."""

    def __init__(self, address: Address) -> None:
        self._address = address

    def ask(self, script: str) -> str:
        """Run a shell script there and return what it prints."""
        try:
            result = subprocess.run(  # noqa: S603
                self._address.command(["sh", "-s"]),
                input=script,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=ASK_SECONDS,
            )
        except subprocess.TimeoutExpired as error:
            raise BoardError(
                f"{self._address.target} did not answer for {ASK_SECONDS} s"
            ) from error
        except FileNotFoundError as error:
            raise _no_ssh() from error
        if result.returncode == LOST:
            raise BoardError(explain(self._address.target, result.stderr))
        if result.returncode:
            last = (result.stderr.strip() or "it said nothing").splitlines()[-1]
            raise BoardError(f"{self._address.target} cannot be examined: {last}")
        return result.stdout

    def send(self, command: Sequence[str], write: Callable[[IO[bytes]], None]) -> int:
        """Run a command there, feed it, let its words through to stderr; return its exit code."""
        words = self._address.command(command)
        try:
            process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=STDERR)  # noqa: S603
        except FileNotFoundError as error:
            raise _no_ssh() from error
        with process:
            assert process.stdin is not None
            try:
                write(process.stdin)
                process.stdin.close()
            except BrokenPipeError:
                pass  # it ended before it had everything; its exit code says more
            except BaseException:
                process.kill()
                raise
        return process.returncode


def _no_ssh() -> BoardError:
    return BoardError("there is no ssh here; mend it with: sudo apt install openssh-client")


ADVICE = (
    (
        r"REMOTE HOST IDENTIFICATION HAS CHANGED",
        "its host key has changed; if the board was set up anew, forget the old key with: "
        "ssh-keygen -R {host}",
    ),
    (
        r"Host key verification failed|No .* host key is known",
        "its host key is not known here; look at it and accept it once with: ssh {target}",
    ),
    (
        r"Permission denied",
        "it does not take your key; send it once with: ssh-copy-id {target}, or give --identity",
    ),
    (r"Could not resolve hostname", "there is no such host; is the name right, and the board on?"),
    (r"Connection refused", "no ssh server answers there; switch it on: sudo raspi-config"),
    (
        r"timed out|No route to host|unreachable",
        "it does not answer; is it on, and in this network?",
    ),
)
"""What ssh says, and what to do about it; the first that fits is told."""


def explain(target: str, stderr: str) -> str:
    """Say in one line why ssh failed, and what to do."""
    host = target.rpartition("@")[2]
    for pattern, advice in ADVICE:
        if re.search(pattern, stderr):
            return f"cannot reach {target}: {advice.format(target=target, host=host)}"
    lines = stderr.strip().splitlines() or ["ssh gave no reason"]
    return f"cannot reach {target}: {lines[-1]}"
