"""A board on paper, for the tests of `maskwatch doctor`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch

from maskwatch_edge.cameras.sources import FrameSource
from maskwatch_edge.config import CameraConfig, MqttConfig
from maskwatch_edge.display.screen_info import ScreenInfo
from maskwatch_edge.errors import SourceError
from maskwatch_edge.lamps.gpio_chips import ChipInfo

from .system import Facts


def _no_camera(camera: CameraConfig) -> FrameSource:
    raise SourceError(f"there is no camera {camera.source}; plug it in")


@dataclass
class FakeSystem:
    """A board on paper: it has what it is given, and nothing else.

    Attributes:
        facts: See `Facts`; those of a Raspberry Pi unless given.
        environment: The variables of the process.
        files: Texts by path.
        outputs: What programs print, by their names, or by name and first argument.
        devices: Whether each device may be used, by path.
        held_by: The programs that hold a device, by path.
        free: Free bytes by folder.
        gpio: Its GPIO chips; `FakeBoard().describe_lines()` of `gpio` has some.
        screens: Framebuffers by path.
        camera: Opens the camera; `FakeCamera().open` does.
        broker_error: What connecting to the MQTT broker raises; None if it lets us in.
        asked: Every command that was run.
    """

    facts: Facts = field(default_factory=Facts)
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    devices: Mapping[str, bool] = field(default_factory=dict)
    held_by: Mapping[str, list[str]] = field(default_factory=dict)
    free: Mapping[str, int] = field(default_factory=dict)
    gpio: Sequence[ChipInfo] = ()
    screens: Mapping[str, ScreenInfo] = field(default_factory=dict)
    camera: Callable[[CameraConfig], FrameSource] = _no_camera
    broker_error: Exception | None = None
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def now_seconds(self) -> float:
        """Return the real clock: the fake camera runs by it, too."""
        return time.monotonic()

    def read(self, path: str) -> str | None:
        """Return the text of a file."""
        return self.files.get(path)

    def find(self, pattern: str) -> list[str]:
        """Return the files and devices that match."""
        return sorted(path for path in (*self.files, *self.devices) if fnmatch(path, pattern))

    def run(self, *command: str) -> str | None:
        """Return what a program prints."""
        self.asked.append(command)
        return self.outputs.get(" ".join(command[:2]), self.outputs.get(command[0]))

    def may_use(self, device: str) -> bool | None:
        """Tell whether a device may be used."""
        return self.devices.get(device)

    def holders(self, device: str) -> list[str]:
        """Return the programs that hold a device."""
        return self.held_by.get(device, [])

    def free_bytes(self, folder: str) -> int | None:
        """Return the free space."""
        return self.free.get(folder)

    def chips(self) -> list[ChipInfo]:
        """Return the GPIO chips."""
        return list(self.gpio)

    def screen(self, device: str) -> ScreenInfo:
        """Return what a framebuffer looks like.

        Raises:
            OSError: If it is none.
        """
        if device not in self.screens:
            raise OSError(25, os.strerror(25))
        return self.screens[device]

    def open_camera(self, camera: CameraConfig) -> FrameSource:
        """Open the camera."""
        return self.camera(camera)

    def try_broker(self, mqtt: MqttConfig) -> None:
        """Let the broker answer, or not."""
        if self.broker_error is not None:
            raise self.broker_error
