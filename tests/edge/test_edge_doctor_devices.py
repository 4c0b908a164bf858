"""What the doctor finds of camera, lamps, display and groups."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from maskwatch_edge.config import (
    CameraConfig,
    Config,
    DisplayConfig,
    IndicatorConfig,
    LampConfig,
)
from maskwatch_edge.display.screen_info import ScreenInfo
from maskwatch_edge.doctor.camera import check_camera
from maskwatch_edge.doctor.devices import check_display, check_groups, check_lamps
from maskwatch_edge.doctor.fake import FakeSystem
from maskwatch_edge.doctor.report import State, fail
from maskwatch_edge.doctor.service import ServiceState
from maskwatch_edge.doctor.system import Facts, RealSystem
from maskwatch_edge.lamps.gpio import FAKE_PI, FakeBoard
from maskwatch_edge.lamps.gpio_chips import ChipInfo

from .paper_boards import (
    GROUPS,
    LAMPS,
    RUNNING,
    XRGB,
    camera_of,
    only,
)

# --- the camera


@pytest.mark.parametrize(
    ("brightness", "period_seconds", "state", "told"),
    [
        (128, 0.01, State.OK, "640x480 pixels, "),
        (0, 0.01, State.WARN, ": black"),
        (20, 0.01, State.WARN, "too dark"),
        (255, 0.01, State.WARN, "dazzled"),
        (128, 0.5, State.WARN, ": slow"),
    ],
)
def test_a_camera_is_measured(
    brightness: int, period_seconds: float, state: State, told: str
) -> None:
    camera = camera_of(brightness, period_seconds)
    system = FakeSystem(devices={"/dev/video0": True}, camera=camera.open)
    finding = only(check_camera(system, CameraConfig(), ServiceState(), 3 * period_seconds + 0.5))
    assert finding.state is state
    assert told in finding.finding
    assert camera.sources == 0


def test_no_camera_names_those_that_there_are() -> None:
    by_id = "/dev/v4l/by-id/usb-046d_C270-index0"
    system = FakeSystem(devices={by_id: True})
    finding = only(check_camera(system, CameraConfig(), ServiceState()))
    assert (finding.state, finding.finding) == (State.FAIL, "there is no /dev/video0")
    assert by_id in finding.mend
    nothing = only(check_camera(FakeSystem(), CameraConfig(), ServiceState()))
    assert nothing.mend.startswith("plug it in")


def test_a_camera_that_the_user_may_not_open_is_mended_by_a_group() -> None:
    system = FakeSystem(devices={"/dev/video0": False})
    finding = only(check_camera(system, CameraConfig(), ServiceState()))
    assert finding.finding == "the user pi may not open /dev/video0"
    assert finding.mend == "sudo usermod -aG video pi, then log out and in again"


def test_a_camera_that_the_service_holds_is_left_alone() -> None:
    camera = camera_of(128)
    system = FakeSystem(devices={"/dev/video0": True}, camera=camera.open)
    finding = only(check_camera(system, CameraConfig(), RUNNING))
    assert finding.state is State.OK
    assert "in use by the service: camera seeing, 12.5 fps" in finding.finding
    assert camera.opened == 0
    lost = replace(RUNNING, status="camera lost, 0.0 fps, nobody")
    assert only(check_camera(system, CameraConfig(), lost)).state is State.FAIL


def test_a_camera_in_use_names_who_uses_it() -> None:
    camera = camera_of(128)
    camera.open()
    system = FakeSystem(
        devices={"/dev/video0": True},
        held_by={"/dev/video0": ["cheese (process 812)"]},
        camera=camera.open,
    )
    finding = only(check_camera(system, CameraConfig(), ServiceState()))
    assert finding.finding == "/dev/video0 is in use by cheese (process 812)"
    hidden = replace(system, held_by={})  # another user's program
    finding = only(check_camera(hidden, CameraConfig(), ServiceState()))
    assert finding.finding == "cannot open the camera"
    assert finding.mend == (
        "is another program using it? (who holds it: sudo fuser -v /dev/video0)"
    )


def test_a_file_is_only_looked_into(tmp_path: Path) -> None:
    picture = Path(__file__).parents[2] / "docs" / "demo.jpg"
    finding = only(
        check_camera(RealSystem(), CameraConfig(source=str(picture)), ServiceState(), 60.0)
    )
    assert finding.state is State.OK
    assert "one picture only" in finding.finding
    missing = CameraConfig(source=str(tmp_path / "no.mp4"))
    assert only(check_camera(RealSystem(), missing, ServiceState())).state is State.FAIL


# --- lamps, display, groups


def test_a_lamps_line_must_be_there_and_free() -> None:
    board = FakeBoard()
    system = FakeSystem(gpio=board.describe_lines())
    assert only(check_lamps(system, LAMPS, ServiceState())).state is State.OK
    missing = IndicatorConfig(lamps=(LampConfig("GPIO99"),))
    assert only(check_lamps(system, missing, ServiceState())).state is State.FAIL
    with board("GPIO17"):
        held = FakeSystem(gpio=board.describe_lines())
    assert only(check_lamps(held, LAMPS, RUNNING)).state is State.OK
    finding = only(check_lamps(held, LAMPS, ServiceState()))
    assert finding == fail(
        "lamp alert",
        "GPIO17 is line 17 of gpiochip0, in use by another maskwatch",
        "end the other one; it is listed by: pgrep -af maskwatch",
    )


def test_a_line_of_another_program_fails_even_while_the_service_runs() -> None:
    lines = tuple(replace(line, used_by="spi0 CS1") for line in FAKE_PI.lines)
    finding = only(check_lamps(FakeSystem(gpio=[replace(FAKE_PI, lines=lines)]), LAMPS, RUNNING))
    assert finding.state is State.FAIL
    assert finding.finding.endswith("in use by spi0 CS1")


def test_a_chip_that_may_not_be_opened_is_mended_for_this_user() -> None:
    problem = "no permission for /dev/gpiochip0; mend it with: sudo usermod -aG gpio USER"
    closed = ChipInfo("/dev/gpiochip0", problem=problem)
    finding = only(check_lamps(FakeSystem(gpio=[closed]), LAMPS, ServiceState()))
    assert finding.state is State.FAIL
    assert finding.mend.endswith("sudo usermod -aG gpio pi")


def test_lamps_on_a_board_without_lines_fail_and_no_lamps_do_not() -> None:
    assert only(check_lamps(FakeSystem(), LAMPS, ServiceState())).state is State.FAIL
    assert only(check_lamps(FakeSystem(), IndicatorConfig(), ServiceState())).state is State.OK


@pytest.mark.parametrize(
    ("devices", "screens", "told"),
    [
        ({}, {}, "there is no /dev/fb0"),
        ({"/dev/fb0": False}, {}, "the user pi may not open /dev/fb0"),
        ({"/dev/fb0": True}, {}, "/dev/fb0 does not answer as a framebuffer does"),
        ({"/dev/fb0": True}, {"/dev/fb0": replace(XRGB, bits_per_pixel=8)}, "expected a frameb"),
    ],
)
def test_a_console_display_that_cannot_be_opened_fails(
    devices: dict[str, bool], screens: dict[str, ScreenInfo], told: str
) -> None:
    system = FakeSystem(devices=devices, screens=screens)
    finding = only(check_display(system, DisplayConfig(kind="console")))
    assert finding.state is State.FAIL
    assert finding.finding.startswith(told)
    assert finding.mend


def test_a_window_needs_a_desktop() -> None:
    pytest.importorskip("pygame", reason="a window needs pygame-ce")
    window = DisplayConfig(kind="window")
    assert only(check_display(FakeSystem(), window)).state is State.WARN
    desktop = FakeSystem(environment={"WAYLAND_DISPLAY": "wayland-0"})
    assert only(check_display(desktop, window)).state is State.OK


@pytest.mark.parametrize(
    ("text", "group_ids", "service", "state"),
    [
        (GROUPS, {44}, ServiceState(), State.OK),
        (GROUPS, set(), ServiceState(), State.WARN),  # added, but not logged in anew
        ("video:x:44:other\ngpio:x:986:\n", set(), ServiceState(), State.FAIL),
        ("video:x:44:other\ngpio:x:986:\n", set(), RUNNING, State.WARN),
        ("gpio:x:986:\n", set(), ServiceState(), State.FAIL),
    ],
)
def test_the_user_must_be_in_the_groups_that_are_needed(
    text: str, group_ids: set[int], service: ServiceState, state: State
) -> None:
    facts = Facts(group_ids=frozenset(group_ids))
    system = FakeSystem(facts=facts, files={"/etc/group": text})
    found = {finding.name: finding for finding in check_groups(system, Config(), service)}
    assert found["group video"].state is state
    assert found["group gpio"].state in (State.OK, State.WARN)  # no lamps are configured
