"""What a program that took over the service might try. Runs on the board, in the service's place.

Prints a line of JSON: for each attempt the name of the error that it ended with, or null.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

MOST_TASKS = 200
PTRACE_ATTACH = 16
LIBC = ctypes.CDLL(None, use_errno=True)


def call(name: str, *arguments: object) -> None:
    """Call a function of the C library.

    Raises:
        OSError: If it fails.
    """
    if getattr(LIBC, name)(*arguments) == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def fork_much() -> None:
    """Start more processes than the service may have.

    Raises:
        OSError: If one is refused.
    """
    children: list[int] = []
    try:
        for _ in range(MOST_TASKS):
            child = os.fork()
            if child == 0:
                time.sleep(60)
                os._exit(0)
            children.append(child)
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def connect(address: tuple[str, int]) -> None:
    """Reach for the network.

    Raises:
        OSError: If it is out of reach.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as peer:
        peer.settimeout(5)
        peer.connect(address)


ATTEMPTS: dict[str, Callable[[], object]] = {
    "read a home folder": lambda: list(Path("/home/pi").iterdir()),
    "read root's folder": lambda: list(Path("/root").iterdir()),
    "read the passwords": lambda: Path("/etc/shadow").read_text(),
    "write to /etc": lambda: Path("/etc/attempt").write_text(""),
    "change the program": lambda: Path("/opt/maskwatch/current/attempt").write_text(""),
    "write to /var/lib": lambda: Path("/var/lib/attempt").write_text(""),
    "write to /tmp": lambda: Path("/tmp/attempt").write_text(""),
    "open the network": lambda: connect(("10.0.2.2", 22)),
    "listen": lambda: socket.create_server(("0.0.0.0", 8080)).close(),
    "load a module": lambda: call("syscall", 105 if os.uname().machine == "aarch64" else 175),
    "trace another process": lambda: call("ptrace", PTRACE_ATTACH, os.getppid(), 0, 0),
    "fork without end": fork_much,
    "mount": lambda: call("mount", b"none", b"/mnt", b"tmpfs", 0, None),
    "become root": lambda: os.setuid(0),
    "make a device": lambda: os.mknod("/dev/shm/attempt", 0o20600, os.makedev(1, 1)),
    "read the disk": lambda: Path("/dev/vda").open("rb").close(),
    "set the clock": lambda: time.clock_settime(time.CLOCK_REALTIME, 0.0),
}


def tried(attempt: Callable[[], object]) -> str | None:
    """Try one; return the name of its error, such as "EPERM", or None."""
    try:
        attempt()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, repr(error))
    return None


if __name__ == "__main__":
    print(json.dumps({name: tried(attempt) for name, attempt in ATTEMPTS.items()}), flush=True)
