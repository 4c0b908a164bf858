"""What the doctor finds on boards of paper, on this machine, and how it tells it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from maskwatch_edge import __main__ as program
from maskwatch_edge.__main__ import main
from maskwatch_edge.cameras.fake_camera import FakeCamera
from maskwatch_edge.config import (
    CameraConfig,
    Config,
    DisplayConfig,
)
from maskwatch_edge.config import file as config_file
from maskwatch_edge.config.file import LoadedConfig, load_config
from maskwatch_edge.doctor.checks import carefully, examine
from maskwatch_edge.doctor.command import COMMAND, load_as_service
from maskwatch_edge.doctor.fake import FakeSystem
from maskwatch_edge.doctor.report import Finding, State, exit_code, fail, ok, to_json, warn
from maskwatch_edge.doctor.service import check_rights, check_service, read_service
from maskwatch_edge.doctor.system import Facts, RealSystem

from .paper_boards import (
    LOOK_SECONDS,
    RUNNING,
    SHOWN,
    camera_of,
    only,
    pi_4,
    raspberry_pi,
    states,
)


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
    assert "ZeroDivisionError in test_edge_doctor.py, line " in camera.finding
    assert camera.finding.endswith(": a driver from elsewhere")
    assert findings[-1].name == "service rights"


def test_what_a_check_found_before_it_raised_is_kept() -> None:
    def check() -> Iterable[Finding]:
        yield ok("a", "fine")
        raise OSError("gone")

    assert [finding.state for finding in carefully("b", check)] == [State.OK, State.FAIL]


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
    release = tmp_path / "release"
    release.write_text("MASKWATCH_MODEL_PATH=/opt/maskwatch/current/model.tflite\n")
    config = load_as_service(parsed, [secrets, release, tmp_path / "none"]).config
    assert config.camera.source == "rtsp://user:word@door/1"
    assert config.model.path == Path("/opt/maskwatch/current/model.tflite")


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
