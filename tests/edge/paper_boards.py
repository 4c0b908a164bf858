"""Boards of paper for the tests of the doctor."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from maskwatch_edge.cameras.fake_camera import FakeCamera
from maskwatch_edge.config import (
    IndicatorConfig,
    LampConfig,
)
from maskwatch_edge.display.screen_info import ScreenInfo
from maskwatch_edge.doctor.fake import FakeSystem
from maskwatch_edge.doctor.report import Finding, State
from maskwatch_edge.doctor.service import ServiceState
from maskwatch_edge.doctor.system import Facts
from maskwatch_edge.lamps.gpio import FAKE_PI

LOOK_SECONDS = 0.5

GIB = 1024**3

GROUPS = "root:x:0:\nvideo:x:44:pi\ngpio:x:986:pi\n"

RUNNING = ServiceState(True, load="loaded", active="active", status="camera seeing, 12.5 fps")

SHOWN = (
    "LoadState=loaded\nActiveState={}\nSubState={}\nNRestarts={}\nResult={}\n"
    "StatusText=camera seeing, 12.5 fps, nobody"
)

LAMPS = IndicatorConfig(lamps=(LampConfig("GPIO17"),))

XRGB = ScreenInfo(1920, 1080, 7680, 32, (16, 8), (8, 8), (0, 8))


def camera_of(brightness: int, period_seconds: float = 0.01) -> FakeCamera:
    camera = FakeCamera(64, 48, period_seconds=period_seconds)
    camera.show(np.full((480, 640, 3), brightness, dtype=np.uint8))
    return camera


def raspberry_pi(model: str, label: str, **other: object) -> FakeSystem:
    """Return a Raspberry Pi in good health, with a USB camera and a screen."""
    system = FakeSystem(
        facts=Facts(group_ids=frozenset({44, 986})),
        files={
            "/proc/device-tree/model": model,
            "/etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian',
            "/etc/group": GROUPS,
            "/proc/meminfo": "MemTotal:  3900000 kB\nMemAvailable:  3000000 kB",
            "/sys/class/thermal/thermal_zone0/temp": "51000",
            "/opt/maskwatch/current/with": "console",
        },
        outputs={
            "vcgencmd": "throttled=0x0",
            "timedatectl": "yes",
            "systemctl show": SHOWN.format("inactive", "dead", 0, "success"),
        },
        devices={"/dev/video0": True, "/dev/fb0": True},
        free={"/opt/maskwatch": 9 * GIB},
        gpio=[replace(FAKE_PI, label=label)],
        screens={"/dev/fb0": XRGB},
        camera=camera_of(128).open,
    )
    return replace(system, **other)  # type: ignore[arg-type]


def pi_4(**other: object) -> FakeSystem:
    return raspberry_pi("Raspberry Pi 4 Model B Rev 1.4", "pinctrl-bcm2711", **other)


def states(findings: Iterable[Finding]) -> dict[str, State]:
    return {finding.name: finding.state for finding in findings}


def only(findings: Iterable[Finding]) -> Finding:
    (finding,) = findings
    return finding
