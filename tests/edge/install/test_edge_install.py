"""Installing on a board: the real scripts, in a folder, with a pretended systemd and Python."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from .conftest import NEEDS_LINUX, SCRIPTS, Board

pytestmark = NEEDS_LINUX


def test_a_first_installation_runs_and_says_so(board: Board) -> None:
    result = board.install("--wheels", board.wheels("first"))
    assert result.returncode == 0
    assert "release 0001 is healthy: camera seeing" in result.stderr
    assert board.runs == "first"
    assert board.config.resolve() == (board.top / "current/config.toml").resolve()
    assert (board.units / "maskwatch.service").read_bytes() == (
        SCRIPTS / "maskwatch.service"
    ).read_bytes()
    board.assert_clean()


def test_a_release_tells_what_it_is_made_of(installed: Board) -> None:
    described = json.loads((installed.top / "current/release.json").read_text())
    assert described["version"] == "0.1.0"
    assert described["model_from"] == "shipped"
    for name in ("config_sha256", "wheel_sha256"):
        assert len(described[name]) == 64


def test_the_same_again_changes_nothing(installed: Board) -> None:
    before = {path: path.lstat().st_mtime_ns for path in installed.root.rglob("*")}
    calls = len(installed.calls)
    result = installed.install("--wheels", installed.wheels("first"))
    assert result.returncode == 0
    assert "nothing to do: release 0001 is the same" in result.stderr
    changed = {p for p in installed.root.rglob("*") if p.lstat().st_mtime_ns != before.get(p)}
    assert changed <= {installed.top / "lock", installed.top}
    assert [call.split()[1] for call in installed.calls[calls:]] == ["show"]


def test_the_same_again_starts_a_service_that_is_down(installed: Board) -> None:
    installed.run(installed.script("systemctl disable --now maskwatch.service"))
    installed.run(installed.script("systemctl enable maskwatch.service"))
    assert installed.runs is None
    assert installed.install("--wheels", installed.wheels("first")).returncode == 0
    assert installed.runs == "first"
    assert installed.release() == "0001"


def test_an_update_replaces_all_and_keeps_one_to_go_back_to(installed: Board) -> None:
    for text in ("second", "third"):
        assert installed.install("--wheels", installed.wheels(text)).returncode == 0
        assert installed.runs == text
        installed.assert_clean()
    assert installed.finished == {"0002", "0003"}


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("hangs", "it was not ready within 1 s"),
        ("crashes", "it failed 2 times"),
        ("ends", "it ended"),
    ],
)
def test_a_version_that_is_not_healthy_gives_way_to_the_one_before(
    installed: Board, behaviour: str, reason: str
) -> None:
    result = installed.install("--wheels", installed.wheels(behaviour))
    assert result.returncode == 3
    assert f"release 0002 is not healthy: {reason}" in result.stderr
    assert "the last words" in result.stderr, "the journal says why"
    assert "release 0001 runs again" in result.stderr
    assert installed.runs == "first"
    installed.assert_clean()


def test_a_first_version_that_is_not_healthy_leaves_nothing_running(board: Board) -> None:
    result = board.install("--wheels", board.wheels("crashes"))
    assert result.returncode == 3
    assert "there was no version before, so nothing runs now" in result.stderr
    assert (board.runs, board.release()) == (None, None)
    assert not list(board.units.glob("*"))
    board.assert_clean()
    assert board.install("--wheels", board.wheels("first")).returncode == 0


def test_neither_version_healthy_is_told_apart(installed: Board) -> None:
    (installed.top / "current/venv/shipped/wheel").write_text(
        "crashes\n"
    )  # as if the card went bad
    result = installed.install("--wheels", installed.wheels("ends"))
    assert result.returncode == 4
    assert "release 0002 is not healthy: it ended" in result.stderr
    assert "error: release 0001 is not healthy either: it failed 2 times" in result.stderr
    installed.assert_sound()


REFUSED = [
    ("broken", {}, "the new version does not pass its check"),
    ("uninstallable", {}, "the program cannot be installed"),
    ("second", {"FAKE_PYTHON_TOO_OLD": "1"}, "Python 3.11 to 3.13 is needed"),
    ("second", {"FAKE_PYTHON_WITHOUT_VENV": "1"}, "sudo apt install python3-venv"),
    ("second", {"MASKWATCH_NEED_MIB": "99999999"}, "99999999 MiB must be free in"),
]


@pytest.mark.parametrize(("wheel", "environment", "reason"), REFUSED)
def test_what_cannot_work_is_refused_before_the_switch(
    installed: Board, wheel: str, environment: dict[str, str], reason: str
) -> None:
    restarts = sum("restart" in call for call in installed.calls)
    result = installed.install("--wheels", installed.wheels(wheel), environment=environment)
    assert result.returncode == 1
    assert reason in result.stderr
    assert sum("restart" in call for call in installed.calls) == restarts
    assert installed.runs == "first"
    assert installed.all_releases == {"0001"}
    installed.assert_sound()


def test_a_unit_of_somebody_else_is_not_overwritten(board: Board) -> None:
    board.units.mkdir(parents=True)
    unit = board.units / "maskwatch.service"
    unit.write_text("[Service]\nExecStart=/opt/maskwatch/bin/maskwatch run\n")
    result = board.install("--wheels", board.wheels("first"))
    assert result.returncode == 1
    assert "is not of this script; remove it first: sudo systemctl disable" in result.stderr
    assert unit.read_text().startswith("[Service]\nExecStart=/opt/maskwatch/bin/")


def test_two_installations_do_not_meet(installed: Board) -> None:
    lock = installed.script(f"exec 9>{installed.top}/lock; flock 9; echo locked; read answer")
    with subprocess.Popen(
        ["sh", lock], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        result = installed.install(
            "--wheels", installed.wheels("second"), environment={"MASKWATCH_LOCK_SECONDS": "0"}
        )
        other.communicate("done\n")
    assert result.returncode == 1
    assert "another installation is going on" in result.stderr


def test_a_model_alone_is_replaced_without_a_new_environment(installed: Board) -> None:
    model = installed.write("given.tflite", "given\n")
    script = installed.top / "current/installer/install.sh"
    assert installed.run(script, "--settle", "0", "--model", model).returncode == 0
    assert installed.runs == "given"
    assert len(list(installed.top.glob("venvs/*"))) == 1
    # A new program does not take a given model away ...
    assert installed.install("--wheels", installed.wheels("second")).returncode == 0
    assert installed.runs == "given"
    variable = f"MASKWATCH_MODEL_PATH={installed.top}/current/model.tflite\n"
    assert (installed.top / "current/environment").read_text() == variable
    installed.assert_clean()


def test_a_given_model_goes_when_a_shipped_one_is_asked_for(installed: Board) -> None:
    given = installed.write("given.tflite", "given\n")
    assert (
        installed.install("--wheels", installed.wheels("first"), "--model", given).returncode == 0
    )
    assert installed.runs == "given"
    result = installed.install("--wheels", installed.wheels("first"), "--model", "shipped")
    assert result.returncode == 0, result.stderr
    assert installed.runs == "first"
    assert not (installed.top / "current/environment").exists()
    again = installed.install("--wheels", installed.wheels("first"), "--model", "shipped")
    assert "nothing to do" in again.stderr
    installed.assert_clean()


def test_a_shipped_model_is_replaced_with_its_program(installed: Board) -> None:
    assert installed.install("--wheels", installed.wheels("second")).returncode == 0
    assert installed.runs == "second"


def test_what_the_owner_wrote_into_the_configuration_stays(installed: Board) -> None:
    installed.config.write_text("# mine\n")  # through the link, as most editors do
    assert installed.install("--wheels", installed.wheels("second")).returncode == 0
    assert installed.config.read_text() == "# mine\n"
    installed.config.unlink()
    installed.config.write_text("# mine, too\n")  # in place of the link, as sed -i does
    assert installed.install("--wheels", installed.wheels("crashes")).returncode == 3
    assert installed.config.read_text() == "# mine, too\n", "the version before has it"
    assert installed.config.is_symlink()
    installed.assert_clean()


def test_a_configuration_from_before_the_first_installation_is_taken(board: Board) -> None:
    board.config.parent.mkdir(parents=True)
    board.config.write_text("# mine\n")
    assert board.install("--wheels", board.wheels("first")).returncode == 0
    assert (board.top / "current/config.toml").read_text() == "# mine\n"


def test_one_that_is_given_another_is_kept_beside_it(board: Board) -> None:
    board.config.parent.mkdir(parents=True)
    board.config.write_text("# mine\n")
    given = board.write("given.toml", "# given\n")
    assert board.install("--wheels", board.wheels("first"), "--config", given).returncode == 0
    assert board.config.read_text() == "# given\n"
    assert Path(f"{board.config}.before").read_text() == "# mine\n"


def test_drop_ins_stay_chosen_until_they_are_not(installed: Board) -> None:
    folder = installed.units / "maskwatch.service.d"
    folder.mkdir()
    (folder / "override.conf").write_text("# the owner's\n")

    def chosen(*options: str) -> set[str]:
        assert installed.install("--wheels", installed.wheels("second"), *options).returncode == 0
        return {path.name for path in folder.glob("*")}

    assert chosen("--with", "network", "--with", "console") == {
        "network.conf",
        "console.conf",
        "override.conf",
    }
    assert chosen() == {"network.conf", "console.conf", "override.conf"}
    assert chosen("--without", "console") == {"network.conf", "override.conf"}
    assert chosen("--with", "web") == {"network.conf", "web.conf", "override.conf"}
    user_unit = installed.root / "etc/systemd/user/maskwatch.service"
    assert not user_unit.exists()
    chosen("--with", "window")
    assert user_unit.is_file()
    assert installed.uninstall().returncode == 0
    assert {path.name for path in folder.glob("*")} == {"override.conf"}


def test_a_service_that_its_owner_switched_off_stays_off(installed: Board) -> None:
    installed.run(installed.script("systemctl disable --now maskwatch.service"))
    result = installed.install("--wheels", installed.wheels("second"))
    assert result.returncode == 0
    assert "the service is switched off, and stays so" in result.stderr
    assert installed.runs is None
    assert installed.release() == "0002"
    installed.assert_clean()


def test_an_installation_may_wait_for_the_next_boot(board: Board) -> None:
    assert board.install("--wheels", board.wheels("first"), "--no-start").returncode == 0
    assert board.runs is None
    board.boot()
    assert board.runs == "first"


GPIO = [
    ({}, [], None, None),  # as on Raspberry Pi OS
    ({"FAKE_NO_GPIO_GROUP": "2", "FAKE_GPIO_OWNER": "root"}, ["groupadd", "udevadm"], "gpio", None),
    ({"FAKE_NO_GPIO_GROUP": "2", "FAKE_GPIO_OWNER": "dialout"}, ["groupadd"], None, "dialout"),
]


@pytest.mark.parametrize(("environment", "calls", "rule", "drop_in"), GPIO)
def test_the_service_may_use_the_lamps_on_every_system(
    board: Board,
    environment: dict[str, str],
    calls: list[str],
    rule: str | None,
    drop_in: str | None,
) -> None:
    result = board.install("--wheels", board.wheels("first"), environment=environment)
    assert result.returncode == 0
    called = [call.split()[0] for call in board.calls]
    assert [name for name in ("groupadd", "udevadm") if name in called] == calls
    udev = board.root / "etc/udev/rules.d/60-maskwatch-gpio.rules"
    assert udev.exists() == (rule is not None)
    assert rule is None or f'GROUP="{rule}"' in udev.read_text()
    extra = board.units / "maskwatch.service.d/gpio.conf"
    assert extra.exists() == (drop_in is not None)
    assert drop_in is None or f"SupplementaryGroups={drop_in}\n" in extra.read_text()
    assert board.uninstall().returncode == 0
    assert not udev.exists()
    assert not extra.exists()
    assert ("groupdel gpio" in board.calls) == ("groupadd" in calls)


def test_wrong_options_are_told(board: Board) -> None:
    for arguments, told in [
        (["--frobnicate"], "there is no option --frobnicate"),
        (
            ["--with", "camera"],
            "expected network, console, mqtt, statistics, window or web; received camera",
        ),
        (["--model"], "--model needs a value"),
        (["--timeout", "soon"], "expected seconds as a whole number; received soon"),
    ]:
        result = board.run(SCRIPTS / "install.sh", *arguments)
        assert (result.returncode, told in result.stderr) == (2, True), result.stderr
    assert board.run(SCRIPTS / "install.sh", "--help").returncode == 0
    assert not board.root.exists()


def test_uninstalling_removes_what_was_made_and_nothing_else(installed: Board) -> None:
    other = installed.root / "etc/maskwatch/environment"
    other.write_text("MASKWATCH_CAMERA_SOURCE=rtsp://camera.example/\n")
    assert installed.uninstall().returncode == 0
    left = {path for path in installed.root.rglob("*") if not path.is_dir()}
    assert left == {other}
    assert installed.runs is None
    assert installed.uninstall().returncode == 0, "twice is once"


def test_uninstalling_leaves_the_configuration_if_asked(installed: Board) -> None:
    installed.config.write_text("# mine\n")
    assert installed.uninstall("--keep-config").returncode == 0
    left = {path for path in installed.root.rglob("*") if not path.is_dir()}
    assert left == {installed.config}
    assert not installed.config.is_symlink()
    assert installed.config.read_text() == "# mine\n"


# --- with the real Python ------------------------------------------------------------------------

PROGRAM = {
    "maskwatch_edge/__init__.py": "",
    "maskwatch_edge/deploy/health.py": "import sys; print(sys.argv, file=sys.stderr)\n",
    "maskwatch-0.1.0.data/data/shipped/wheel": "shipped",
    "maskwatch-0.1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: maskwatch\n"
    "Version: 0.1.0\n",
    "maskwatch-0.1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\n"
    "Root-Is-Purelib: true\nTag: py3-none-any\n",
    "maskwatch-0.1.0.dist-info/RECORD": "",
}


def test_a_wheel_is_installed_into_a_real_environment_without_the_internet(board: Board) -> None:
    pytest.importorskip("ensurepip", reason="needs a Python that can make environments")
    python = board.folder / "bin/python3"
    python.unlink()
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    wheels = board.folder / "real wheels"
    wheels.mkdir()
    with zipfile.ZipFile(wheels / "maskwatch-0.1.0-py3-none-any.whl", "w") as wheel:
        for name, text in PROGRAM.items():
            wheel.writestr(name, text)
    result = board.install("--wheels", wheels, "--with", "network")
    assert result.returncode == 0, result.stderr
    assert "'--with', ' network'" in result.stderr
    assert board.runs == "shipped"
    settings = (board.top / "current/venv/pyvenv.cfg").read_text()
    assert "include-system-site-packages = true" in settings, "to see apt's picamera2"
    board.assert_clean()
