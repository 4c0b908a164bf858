"""What `maskwatch doctor` looks at: the board, its kernel and its programs. Nothing is changed."""

from __future__ import annotations

import os
import platform
import pwd
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from maskwatch_edge.cameras.sources import FrameSource, open_camera
from maskwatch_edge.config import CameraConfig, MqttConfig
from maskwatch_edge.display.screen_info import ScreenInfo, read_screen_info
from maskwatch_edge.lamps.gpio_chips import ChipInfo, describe_lines

COMMAND_SECONDS = 10.0
"""A program that says nothing for so long is not waited for."""


@dataclass(frozen=True)
class Facts:
    """What does not change while the doctor looks.

    Attributes:
        user: Who runs it; under sudo, who called sudo.
        is_root: Whether it may do everything.
        group_ids: Numbers of the groups that this process has.
        machine: The kernel's word for the processor, such as "aarch64".
        kernel: Its version.
        cores: How many may be used.
        python: Its version.
        pointer_bits: 32 or 64, of Python and all that it loads.
    """

    user: str = "pi"
    is_root: bool = False
    group_ids: frozenset[int] = frozenset()
    machine: str = "aarch64"
    kernel: str = "6.12.34+rpt-rpi-v8"
    cores: int = 4
    python: tuple[int, int, int] = (3, 11, 2)
    pointer_bits: int = 64


class System(Protocol):
    """The board as the doctor sees it."""

    @property
    def facts(self) -> Facts:
        """What does not change."""
        ...

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables of this process."""
        ...

    def now_seconds(self) -> float:
        """Return the monotonic clock."""
        ...

    def read(self, path: str) -> str | None:
        """Return the text of a file without blanks at its ends; None if it cannot be read."""
        ...

    def find(self, pattern: str) -> list[str]:
        """Return the paths that match, sorted; a pattern begins with a slash."""
        ...

    def run(self, *command: str) -> str | None:
        """Return what a program prints; None if there is no such program, or it hangs."""
        ...

    def may_use(self, device: str) -> bool | None:
        """Tell whether a device may be read and written; None if it is not there."""
        ...

    def holders(self, device: str) -> list[str]:
        """Return the programs that hold a device, as far as they may be seen."""
        ...

    def free_bytes(self, folder: str) -> int | None:
        """Return the free space of the file system; None if there is no such folder."""
        ...

    def chips(self) -> list[ChipInfo]:
        """Return the GPIO chips; see `describe_lines`."""
        ...

    def screen(self, device: str) -> ScreenInfo:
        """Ask a framebuffer what it looks like, and draw nothing.

        Raises:
            OSError: If it cannot be opened, or is none.
        """
        ...

    def open_camera(self, camera: CameraConfig) -> FrameSource:
        """Open the camera; see `sources.open_camera`."""
        ...

    def try_broker(self, mqtt: MqttConfig) -> None:
        """Connect to the MQTT broker and leave; see `mqtt.link.try_broker`."""
        ...


class RealSystem:
    """The system that this program runs on."""

    def __init__(self) -> None:
        self.facts = _facts()
        self.environment: Mapping[str, str] = os.environ

    def now_seconds(self) -> float:
        """Return the monotonic clock."""
        return time.monotonic()

    def read(self, path: str) -> str | None:
        """Return the text of a file; the device tree ends its texts with a zero byte."""
        try:
            return Path(path).read_bytes().decode(errors="replace").strip("\0 \n")
        except OSError:  # some sensors are there and cannot be read
            return None

    def find(self, pattern: str) -> list[str]:
        """Return the paths that match."""
        return sorted(map(str, Path("/").glob(pattern.lstrip("/"))))

    def run(self, *command: str) -> str | None:
        """Return what a program prints."""
        # Wherever sudo and ssh leave PATH: these programs are at home in the system's folders.
        program = shutil.which(command[0], path=f"{os.defpath}:/usr/bin:/usr/sbin:/sbin")
        if program is None:
            return None
        try:
            result = subprocess.run(  # noqa: S603
                [program, *command[1:]],
                capture_output=True,
                text=True,
                errors="replace",
                env={**os.environ, "LC_ALL": "C"},
                timeout=COMMAND_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return result.stdout.strip()

    def may_use(self, device: str) -> bool | None:
        """Tell whether a device may be read and written."""
        return os.access(device, os.R_OK | os.W_OK) if Path(device).exists() else None

    def holders(self, device: str) -> list[str]:
        """Return name and number of the programs that hold a device; only root sees all."""
        wanted = Path(device).resolve()
        links = Path("/proc").glob("[0-9]*/fd/*")
        numbers = {link.parts[2] for link in links if _target(link) == wanted} - {str(os.getpid())}
        return [
            f"{self.read(f'/proc/{number}/comm')} (process {number})" for number in sorted(numbers)
        ]

    def free_bytes(self, folder: str) -> int | None:
        """Return the free space that programs without special rights have."""
        try:
            return shutil.disk_usage(folder).free
        except FileNotFoundError:
            return None

    def chips(self) -> list[ChipInfo]:
        """Return the GPIO chips."""
        return describe_lines()

    def screen(self, device: str) -> ScreenInfo:
        """Ask a framebuffer what it looks like."""
        descriptor = os.open(device, os.O_RDWR | os.O_CLOEXEC)
        try:
            return read_screen_info(descriptor)
        finally:
            os.close(descriptor)

    def open_camera(self, camera: CameraConfig) -> FrameSource:
        """Open the camera."""
        return open_camera(camera)

    def try_broker(self, mqtt: MqttConfig) -> None:
        """Connect to the MQTT broker and leave."""
        from maskwatch_edge.mqtt.link import try_broker

        try_broker(mqtt)


def _facts() -> Facts:
    return Facts(
        user=os.environ.get("SUDO_USER") or _user_name(),
        is_root=os.geteuid() == 0,
        group_ids=frozenset({*os.getgroups(), os.getegid()}),
        machine=platform.machine(),
        kernel=platform.release(),
        cores=len(os.sched_getaffinity(0)),
        python=sys.version_info[:3],
        pointer_bits=8 * struct.calcsize("P"),
    )


def _user_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # users of containers and of systemd need not have a name
        return str(os.geteuid())


def _target(link: Path) -> Path | None:
    try:
        return link.readlink()
    except OSError:  # another user's, or gone by now
        return None
