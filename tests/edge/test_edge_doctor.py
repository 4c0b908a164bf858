"""What the doctor finds on boards of paper, on this machine, and how it tells it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from maskwatch_edge import __main__ as program
from maskwatch_edge import models
from maskwatch_edge.__main__ import main
from maskwatch_edge.cameras.fake_camera import FakeCamera
from maskwatch_edge.config import (
    CameraConfig,
    Config,
    DisplayConfig,
    FacesConfig,
    IndicatorConfig,
    LampConfig,
    MqttConfig,
)
from maskwatch_edge.config import file as config_file
from maskwatch_edge.config.file import LoadedConfig, load_config
from maskwatch_edge.deploy import service_config
from maskwatch_edge.display.screen_info import ScreenInfo
from maskwatch_edge.doctor import checks
from maskwatch_edge.doctor import model as doctor_model
from maskwatch_edge.doctor.board import (
    check_clock,
    check_disk,
    check_memory,
    check_power,
    check_python,
    check_swap,
    check_temperature,
)
from maskwatch_edge.doctor.broker import check_broker
from maskwatch_edge.doctor.camera import check_camera
from maskwatch_edge.doctor.checks import carefully, examine
from maskwatch_edge.doctor.command import COMMAND, load_as_service
from maskwatch_edge.doctor.devices import check_display, check_groups, check_lamps
from maskwatch_edge.doctor.fake import FakeSystem
from maskwatch_edge.doctor.model import check_faces, check_interpreter, check_model
from maskwatch_edge.doctor.report import Finding, State, exit_code, fail, ok, to_json, warn
from maskwatch_edge.doctor.service import ServiceState, check_rights, check_service, read_service
from maskwatch_edge.doctor.system import Facts, RealSystem
from maskwatch_edge.errors import MissingExtraError, OutputError
from maskwatch_edge.lamps.gpio import FAKE_PI, FakeBoard
from maskwatch_edge.lamps.gpio_chips import ChipInfo

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


def configured(tiny_model: Path) -> Callable[[], LoadedConfig]:
    flags = {
        "model.path": tiny_model,
        "display.kind": "console",
        "indicator.lamps": [{"line": "GPIO17"}],
    }
    return lambda: load_config(None, {}, flags)


@pytest.fixture(autouse=True)
def no_installation(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep this machine's own configuration out of it."""
    monkeypatch.setattr(config_file, "DEFAULT_PATH", tmp_path / "no-config.toml")


def states(findings: Iterable[Finding]) -> dict[str, State]:
    return {finding.name: finding.state for finding in findings}


def only(findings: Iterable[Finding]) -> Finding:
    (finding,) = findings
    return finding


# --- whole boards


@pytest.mark.parametrize(
    ("model", "label"),
    [
        ("Raspberry Pi 4 Model B Rev 1.4", "pinctrl-bcm2711"),
        ("Raspberry Pi 5 Model B Rev 1.0", "pinctrl-rp1"),
    ],
)
def test_a_healthy_pi_fails_nowhere(tiny_model: Path, model: str, label: str) -> None:
    system = raspberry_pi(model, label)
    findings = list(examine(system, configured(tiny_model), LOOK_SECONDS))
    told = {finding.name: finding.finding for finding in findings}
    assert exit_code(findings) == 0, findings
    assert [finding.name for finding in findings if finding.state is State.WARN] == ["service"]
    assert told["board"] == f"{model}, aarch64, 4 cores"
    assert told["camera"].startswith("/dev/video0: 640x480 pixels, ")
    assert told["lamp alert"] == "GPIO17 is line 17 of gpiochip0, free"
    assert told["display"] == "/dev/fb0: 1920x1080 pixels, 32 bits each"


def test_a_plain_pc_does_not_tell_everything_and_that_is_no_fault(tiny_model: Path) -> None:
    system = FakeSystem(
        facts=Facts(machine="x86_64", is_root=True),
        files={
            "/sys/class/dmi/id/sys_vendor": "LENOVO",
            "/sys/class/dmi/id/product_name": "20Y7",
            "/etc/group": "video:x:44:\n",
        },
        devices={"/dev/video0": True},
        camera=camera_of(128).open,
    )
    load = lambda: load_config(None, {}, {"model.path": tiny_model})  # noqa: E731
    findings = list(examine(system, load, LOOK_SECONDS))
    told = {finding.name: finding.finding for finding in findings}
    assert exit_code(findings) == 0, findings
    assert told["board"] == "LENOVO 20Y7, x86_64, 4 cores"
    for name in ("power", "temperature", "memory", "disk", "clock"):
        assert told[name].startswith("not told by this ")
    assert states(findings)["service"] is State.WARN


def test_a_broken_configuration_is_told_and_the_rest_is_looked_at_all_the_same(
    tmp_path: Path,
) -> None:
    path = tmp_path / "my.toml"
    path.write_text("[camera]\nsourse = '1'\nwidth_px = 1\n")
    findings = list(examine(pi_4(), lambda: load_config(path, {}, {}), LOOK_SECONDS))
    wrong = [finding for finding in findings if finding.state is State.FAIL]
    assert [finding.name for finding in wrong] == ["configuration"] * 3
    assert "did you mean camera.source?" in " ".join(finding.finding for finding in wrong)
    assert wrong[0].mend == f"sudo nano {path}, then: maskwatch config check {path}"
    assert states(findings)["camera"] is State.OK


def test_a_check_that_raises_fails_and_the_others_go_on(tiny_model: Path) -> None:
    def broken(camera: CameraConfig) -> FakeCamera:
        raise ZeroDivisionError("a driver from elsewhere")

    system = pi_4(camera=broken)
    findings = list(examine(system, configured(tiny_model), LOOK_SECONDS))
    camera = next(finding for finding in findings if finding.name == "camera")
    assert camera.state is State.FAIL
    assert "ZeroDivisionError: a driver from elsewhere" in camera.finding
    assert findings[-1].name == "service rights"


def test_what_a_check_found_before_it_raised_is_kept() -> None:
    def check() -> Iterable[Finding]:
        yield ok("a", "fine")
        raise OSError("gone")

    assert [finding.state for finding in carefully("b", check)] == [State.OK, State.FAIL]


# --- the board


@pytest.mark.parametrize(
    ("answer", "state", "told"),
    [
        ("throttled=0x0", State.OK, "no lack of voltage"),
        # Too little voltage and slowed down, now and before.
        (
            "throttled=0x50005",
            State.FAIL,
            "too little voltage now, slowed down now, too little voltage since it was started, "
            "slowed down since it was started (0x50005)",
        ),
        ("throttled=0x50000", State.WARN, "too little voltage since it was started, slowed down"),
        ("throttled=0x8", State.FAIL, "too hot now (0x8)"),
        ("VCHI initialization failed", State.OK, "not told by this board"),
    ],
)
def test_the_firmwares_flags_are_told_in_words(answer: str, state: State, told: str) -> None:
    finding = only(check_power(FakeSystem(outputs={"vcgencmd": answer})))
    assert finding.state is state
    assert told in finding.finding


def test_lack_of_voltage_and_heat_are_mended_differently() -> None:
    mends = [
        only(check_power(FakeSystem(outputs={"vcgencmd": flags}))).mend
        for flags in ("throttled=0x1", "throttled=0x8")
    ]
    assert "power supply" in mends[0]
    assert "fan" in mends[1]


@pytest.mark.parametrize(
    ("files", "state"),
    [
        ({"/sys/devices/platform/soc/soc:firmware/get_throttled": "50005"}, State.FAIL),
        (
            {"/sys/class/hwmon/hwmon1/name": "rpi_volt",
             "/sys/class/hwmon/hwmon1/in0_lcrit_alarm": "1"},
            State.FAIL,
        ),
        (
            {"/sys/class/hwmon/hwmon0/name": "cpu_thermal",
             "/sys/class/hwmon/hwmon0/in0_lcrit_alarm": "1"},
            State.OK,
        ),
    ],
)  # fmt: skip
def test_without_vcgencmd_the_kernel_is_asked(files: dict[str, str], state: State) -> None:
    assert only(check_power(FakeSystem(files=files))).state is state


@pytest.mark.parametrize(
    ("degrees", "state", "told"),
    [
        (["51000", "43000"], State.OK, "51 °C"),
        (["51000", "80000"], State.WARN, "80 °C; from 80 °C on"),
        (["-274000", ""], State.OK, "not told"),  # sensors that are asleep
    ],
)
def test_the_hottest_sensor_counts(degrees: list[str], state: State, told: str) -> None:
    zones = {f"/sys/class/thermal/thermal_zone{n}/temp": text for n, text in enumerate(degrees)}
    finding = only(check_temperature(FakeSystem(files=zones)))
    assert finding.state is state
    assert finding.finding.startswith(told)


@pytest.mark.parametrize(
    ("version", "bits", "state"),
    [
        ((3, 11, 2), 64, State.OK),
        ((3, 13, 5), 64, State.OK),
        ((3, 9, 2), 64, State.FAIL),
        ((3, 14, 0), 64, State.FAIL),
        ((3, 11, 2), 32, State.WARN),
    ],
)
def test_python_must_be_one_that_is_supported(
    version: tuple[int, int, int], bits: int, state: State
) -> None:
    facts = Facts(python=version, pointer_bits=bits)
    assert only(check_python(FakeSystem(facts=facts))).state is state


@pytest.mark.parametrize(
    ("free", "state"),
    [(GIB, State.OK), (400 * 2**20, State.WARN), (10 * 2**20, State.FAIL)],
)
def test_a_full_disk_is_told(free: int, state: State) -> None:
    assert only(check_disk(FakeSystem(free={"/": free}))).state is state


def test_little_memory_is_a_warning_unless_the_service_has_taken_its_share() -> None:
    system = FakeSystem(files={"/proc/meminfo": "MemTotal: 900000 kB\nMemAvailable: 102400 kB"})
    assert only(check_memory(system, is_running=False)).state is State.WARN
    assert only(check_memory(system, is_running=True)) == ok("memory", "100 of 878 MiB available")


@pytest.mark.parametrize(
    ("swaps", "controllers", "state"),
    [
        ("", "", State.OK),
        ("/dev/zram0 partition 9 0 1", "", State.OK),
        ("/var/swap file 9 0 1", "cpu memory pids", State.OK),
        ("/var/swap file 9 0 1", "cpu pids", State.WARN),  # Raspberry Pi OS as it comes
    ],
)
def test_swap_on_disk_is_a_warning_where_the_kernel_cannot_keep_frames_out_of_it(
    swaps: str, controllers: str, state: State
) -> None:
    files = {
        "/proc/swaps": f"Filename Type\n{swaps}",
        "/sys/fs/cgroup/cgroup.controllers": controllers,
    }
    assert only(check_swap(FakeSystem(files=files))).state is state


def test_a_clock_that_nobody_sets_is_a_warning() -> None:
    finding = only(check_clock(FakeSystem(outputs={"timedatectl show": "no"})))
    assert (finding.state, finding.mend[:30]) == (State.WARN, "sudo timedatectl set-ntp true,")


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


def test_another_camera_than_the_services_is_measured_while_the_service_runs(
    tiny_model: Path,
) -> None:
    camera = camera_of(128)
    running = {"systemctl show": SHOWN.format("active", "running", 0, "success")}
    system = pi_4(outputs=running, devices={"/dev/video2": True}, camera=camera.open)
    load = lambda: load_config(None, {}, {"camera.source": "2", "model.path": tiny_model})  # noqa: E731
    findings = list(examine(system, load, LOOK_SECONDS))
    assert states(findings)["camera"] is State.OK
    assert camera.opened == 1


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


# --- interpreter and model


def test_a_whole_model_is_run_and_its_interpreter_named(tiny_model: Path) -> None:
    config = Config().model
    finding = only(check_model(config, tiny_model, RealSystem().now_seconds))
    assert finding.state is State.OK
    assert "int8, 32x32 RGB, keeps its contract" in finding.finding
    finding = only(check_interpreter(config, tiny_model))
    assert finding.state is State.OK
    assert finding.finding.startswith(("ai-edge-litert ", "tflite-runtime "))


GIVEN: list[tuple[dict[str, object], bool, Callable[[Path], Path]]] = [
    ({}, True, lambda given: given),
    ({}, False, lambda given: models.shipped_model()),
    ({"model.shipped": "small"}, True, lambda given: models.shipped_model("small")),
    ({"model.shipped": "small"}, False, lambda given: models.shipped_model("small")),
    ({"model.path": "/m.tflite"}, True, lambda given: Path("/m.tflite")),
]


@pytest.mark.parametrize(("flags", "is_given", "expected"), GIVEN)
def test_the_model_is_that_of_the_configuration_or_else_the_one_that_the_service_was_given(
    flags: dict[str, object],
    is_given: bool,
    expected: Callable[[Path], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = tmp_path / "model.tflite"
    if is_given:
        given.touch()
    monkeypatch.setattr(checks, "INSTALLED_MODEL", given)
    patient = checks.Patient(FakeSystem(), load_config(None, {}, flags))
    assert patient.model == expected(given)


def test_a_truncated_model_fails_and_the_interpreter_is_named_all_the_same(
    tiny_model: Path, tmp_path: Path
) -> None:
    path = tmp_path / "half.tflite"
    path.write_bytes(tiny_model.read_bytes()[:2000])
    finding = only(check_model(Config().model, path, RealSystem().now_seconds))
    assert finding.state is State.FAIL
    assert "truncated" in finding.finding
    assert "--model" in finding.mend
    finding = only(check_interpreter(Config().model, path))
    assert finding.state is State.OK
    assert finding.finding.endswith("not tried, as the model cannot be read")


def test_a_cascade_that_is_missing_fails(tmp_path: Path) -> None:
    assert only(check_faces(Config().faces, Config().model, time.monotonic)).state is State.OK
    missing = FacesConfig(finder="haar", cascade=tmp_path / "no.xml")
    finding = only(check_faces(missing, Config().model, time.monotonic))
    assert (finding.state, finding.mend) == (State.FAIL, "remove faces.cascade")


def test_a_finder_that_is_missing_fails_with_what_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = FacesConfig(model=tmp_path / "no.tflite")
    finding = only(check_faces(named, Config().model, time.monotonic))
    assert (finding.state, finding.mend) == (State.FAIL, "remove faces.model")
    broken = models.shipped_finder().read_bytes()[:100_000]
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / models.SHIPPED_FINDER).write_bytes(broken)
    monkeypatch.setattr(models, "__file__", str(tmp_path / "models.py"))
    finding = only(check_faces(FacesConfig(), Config().model, time.monotonic))
    assert finding.state is State.FAIL
    assert "install Maskwatch again" in finding.mend


def test_a_finder_that_was_not_fetched_fails_with_the_command_that_fetches_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr(models, "SHARED_FOLDER", tmp_path)
    faces = FacesConfig(finder="yunet")
    finding = only(check_faces(faces, Config().model, time.monotonic))
    assert finding.state is State.FAIL
    assert finding.mend == "fetch it with: maskwatch models get yunet"


def test_a_finder_is_told_with_its_file_and_its_time(yunet: Path) -> None:
    faces = FacesConfig(finder="yunet", model=yunet)
    finding = only(check_faces(faces, Config().model, time.monotonic))
    assert finding.state is State.OK
    assert finding.finding.startswith(f"yunet, {yunet.name}: ")
    assert finding.finding.endswith(" ms for an empty frame")


def test_a_finder_with_another_file_than_the_published_one_is_warned_of(
    yunet: Path, tmp_path: Path
) -> None:
    longer = tmp_path / "longer.onnx"
    # An unknown field of text: OpenCV reads past it.
    longer.write_bytes(yunet.read_bytes() + b"\xfa\x7f\x01x")
    faces = FacesConfig(finder="yunet", model=longer)
    finding = only(check_faces(faces, Config().model, time.monotonic))
    assert finding.state is State.WARN
    assert "is not the file that its makers published" in finding.finding


def test_a_finder_that_the_service_cannot_see_is_warned_of(
    yunet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_model, "INSTALLED", tmp_path)
    monkeypatch.setattr(service_config, "HOMES", (yunet.parent,))
    faces = FacesConfig(finder="yunet", model=yunet)
    finding = only(check_faces(faces, Config().model, time.monotonic))
    assert finding.state is State.WARN
    assert "the service does not see" in finding.finding
    assert "/usr/local/share/maskwatch" in finding.mend


# --- the service


@pytest.mark.parametrize(
    ("answer", "state", "told"),
    [
        ("LoadState=not-found\nActiveState=inactive", State.WARN, "not installed (not-found)"),
        (SHOWN.format("active", "running", 0, "success"), State.OK, "runs: camera seeing"),
        (SHOWN.format("active", "running", 3, "watchdog"), State.WARN, "it failed (watchdog), and "
         "was started again 3 times"),
        (SHOWN.format("activating", "auto-restart", 7, "oom-kill"), State.FAIL, "oom-kill"),
        (SHOWN.format("failed", "failed", 0, "exit-code"), State.FAIL, "it failed (exit-code)"),
        (SHOWN.format("inactive", "dead", 0, "success"), State.WARN, "not started"),
        (SHOWN.format("activating", "start", 0, "success"), State.WARN, "wait"),
        (None, State.WARN, "systemd does not run here"),
    ],
)  # fmt: skip
def test_the_service_is_told_as_systemd_sees_it(
    answer: str | None, state: State, told: str
) -> None:
    system = FakeSystem(outputs={} if answer is None else {"systemctl show": answer})
    finding = only(check_service(read_service(system)))
    assert finding.state is state
    assert told in finding.finding
    assert bool(finding.mend) is (state is not State.OK)


def test_the_service_of_a_session_is_found_where_the_boards_does_not_run() -> None:
    outputs = {
        "systemctl show": SHOWN.format("inactive", "dead", 0, "success"),
        "systemctl --user": SHOWN.format("active", "running", 0, "success"),
    }
    state = read_service(FakeSystem(outputs=outputs))
    assert (state.is_user, state.is_running) == (True, True)
    assert state.systemctl == "systemctl --user"


@pytest.mark.parametrize(
    ("config", "chosen", "expected"),
    [
        (Config(), "", State.OK),
        (Config(display=DisplayConfig(kind="console")), "network", State.FAIL),
        (Config(display=DisplayConfig(kind="console")), "console", State.OK),
        (Config(camera=CameraConfig(source="rtsp://door/1")), "console", State.FAIL),
    ],
)
def test_the_services_sandbox_must_fit_the_configuration(
    config: Config, chosen: str, expected: State
) -> None:
    system = FakeSystem(files={"/opt/maskwatch/current/with": chosen})
    assert only(check_rights(system, RUNNING, config)).state is expected


# --- the MQTT broker


@pytest.mark.parametrize(
    ("host", "error", "expected"),
    [
        (None, OutputError("not asked"), (State.OK, "no broker is configured")),
        ("broker.example", None, (State.OK, "the broker broker.example lets us in")),
        (
            "broker.example",
            OutputError("broker.example:1883: Not authorized"),
            (State.FAIL, "broker.example:1883: Not authorized"),
        ),
    ],
)
def test_the_broker_is_asked_if_there_is_one(
    host: str | None, error: Exception | None, expected: tuple[State, str]
) -> None:
    finding = only(check_broker(FakeSystem(broker_error=error), MqttConfig(host=host)))
    assert (finding.state, finding.finding) == expected


def test_a_missing_package_for_mqtt_is_told_with_what_mends_it() -> None:
    system = FakeSystem(broker_error=MissingExtraError("paho-mqtt", "mqtt"))
    finding = only(check_broker(system, MqttConfig(host="broker.example")))
    assert (finding.state, finding.mend) == (State.FAIL, "pip install 'maskwatch[mqtt]'")


# --- how it is told


def test_a_finding_is_a_line_and_its_mending_another() -> None:
    assert str(ok("OS", "Debian")) == "ok    OS: Debian"
    assert str(warn("OS", "old\nand dusty", "sudo apt upgrade")) == (
        "warn  OS: old and dusty\n      → sudo apt upgrade"
    )


@pytest.mark.parametrize(
    ("findings", "worst", "code"),
    [
        ([], "ok", 0),
        ([ok("a", "b")], "ok", 0),
        ([ok("a", "b"), warn("c", "d", "e")], "warn", 0),
        ([fail("a", "b", "c"), warn("d", "e", "f")], "fail", 1),
    ],
)
def test_json_holds_every_finding_and_the_worst_state(
    findings: list[Finding], worst: str, code: int
) -> None:
    told = json.loads(to_json(findings))
    assert told["state"] == worst
    assert [Finding(**one) for one in told["findings"]] == findings
    assert exit_code(findings) == code


def test_the_real_board_is_looked_at_without_a_fault_of_the_doctor(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tiny_model: Path
) -> None:
    monkeypatch.setattr(program, "find_commands", lambda name: [COMMAND])
    picture = Path(__file__).parents[2] / "docs" / "demo.jpg"
    settings = [f"--set=camera.source={picture}", f"--set=model.path={tiny_model}"]
    code = main(["doctor", "--json", *settings])
    told = json.loads(capsys.readouterr().out)
    names = {one["name"]: one for one in told["findings"]}
    assert {"board", "OS", "Python", "power", "model", "camera", "service"} <= set(names)
    assert not [one for one in told["findings"] if "could not be looked at" in one["finding"]]
    assert all(bool(one["mend"]) is (one["state"] != "ok") for one in told["findings"])
    assert code == int(told["state"] == "fail")
    assert names["camera"]["state"] == names["model"]["state"] == "ok"


def test_the_settings_of_the_service_are_taken_in(tmp_path: Path) -> None:
    secrets = tmp_path / "environment"
    secrets.write_text("# of the house\nMASKWATCH_CAMERA_SOURCE=rtsp://user:word@door/1\n")
    parsed = program.build_parser([COMMAND]).parse_args(["doctor"])
    assert load_as_service(parsed, secrets).config.camera.source == "rtsp://user:word@door/1"


def test_a_password_is_never_told(tiny_model: Path) -> None:
    source = "rtsp://user:word@127.0.0.1:1/door"
    flags = {"camera.source": source, "model.path": tiny_model}
    findings = examine(pi_4(), lambda: load_config(None, {}, flags), LOOK_SECONDS)
    assert "word@" not in to_json(list(findings))


def test_who_holds_a_device_is_found(tmp_path: Path) -> None:
    device = tmp_path / "device"
    device.touch()
    with device.open() as held, subprocess.Popen(["sleep", "60"], stdin=held) as process:
        try:
            assert RealSystem().holders(str(device)) == [f"sleep (process {process.pid})"]
        finally:
            process.kill()


def test_a_program_that_is_missing_or_fails_tells_nothing() -> None:
    assert RealSystem().run("no-such-program") is None
    assert RealSystem().run("false") == ""


def test_plain_terminals_get_a_plain_arrow() -> None:
    code = (
        "from maskwatch_edge.doctor.command import _print;"
        "from maskwatch_edge.doctor.report import warn; _print(str(warn('a', 'é', 'c')))"
    )
    environment = {"PYTHONIOENCODING": "ascii:strict", "PATH": "/usr/bin"}
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, check=True
    )
    assert result.stdout == b"warn  a: ?\n      -> c\n"
