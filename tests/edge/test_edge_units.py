"""The units: that systemd takes them as they are meant, and how much they expose."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from maskwatch_edge.__main__ import build_parser, find_commands

SYSTEMD = Path(__file__).parents[2] / "systemd"
PROGRAM = "/opt/maskwatch/current/venv/bin/maskwatch"
DROP_INS = sorted(path.stem for path in (SYSTEMD / "maskwatch.service.d").glob("*.conf"))

Analyze = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def analyze(tmp_path: Path) -> Analyze:
    """Give a function that runs `systemd-analyze`."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze (Debian: apt install systemd), which is not here")

    def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["systemd-analyze", *words],
            env=os.environ | {"XDG_RUNTIME_DIR": str(tmp_path), "SYSTEMD_COLORS": "0"},
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


@pytest.fixture
def unit(tmp_path: Path) -> Callable[..., Path]:
    """Give a function that lays out the service with some of its drop-ins."""

    def lay_out(*names: str) -> Path:
        folder = tmp_path / "units"
        drop_ins = folder / "maskwatch.service.d"
        drop_ins.mkdir(parents=True)
        for name in names:
            shutil.copy(SYSTEMD / f"maskwatch.service.d/{name}.conf", drop_ins)
        path = folder / "maskwatch.service"
        # The program is not installed here, and that would be all that is told.
        path.write_text((SYSTEMD / path.name).read_text().replace(PROGRAM, "/bin/true"))
        return path

    return lay_out


EXPOSURE = [
    ((), 1.5),
    (("console",), 1.5),
    (("network",), 2.0),
    (("network", "console"), 2.0),
    (("network", "mqtt"), 2.0),
    (("web",), 2.0),
]


@pytest.mark.parametrize(("drop_ins", "limit"), EXPOSURE)
def test_the_service_exposes_little(
    analyze: Analyze,
    unit: Callable[..., Path],
    drop_ins: tuple[str, ...],
    limit: float,
    capsys: pytest.CaptureFixture[str],
) -> None:
    result = analyze("security", "--offline=true", "--no-pager", unit(*drop_ins))
    found = re.search(r"Overall exposure level for maskwatch.service: (\d+\.\d+)", result.stdout)
    if found is None:
        pytest.skip(f"this systemd-analyze does not measure unit files: {result.stderr}")
    with capsys.disabled():
        print(f"\nexposure with {', '.join(drop_ins) or 'no drop-in'}: {found[1]}")
    assert float(found[1]) <= limit


@pytest.mark.parametrize(
    "drop_ins",
    [
        (),
        ("console",),
        ("network",),
        ("web",),
        ("mqtt", "network"),
        ("statistics",),
        ("console", "mqtt", "network", "statistics", "web"),
    ],
)
def test_systemd_understands_every_line_of_the_service(
    analyze: Analyze, unit: Callable[..., Path], drop_ins: tuple[str, ...]
) -> None:
    result = analyze("verify", "--man=no", unit(*drop_ins))
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


def test_a_line_that_systemd_does_not_understand_is_told(
    analyze: Analyze, unit: Callable[..., Path]
) -> None:
    path = unit()
    path.write_text(path.read_text().replace("WatchdogSec=30", "WatchDogSec=30"))
    assert "WatchDogSec" in analyze("verify", "--man=no", path).stderr


def test_systemd_understands_the_unit_that_confirms(analyze: Analyze) -> None:
    result = analyze("verify", "--man=no", SYSTEMD / "maskwatch-confirm.service")
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


def test_systemd_understands_the_unit_of_the_desktop(analyze: Analyze, tmp_path: Path) -> None:
    path = tmp_path / "maskwatch.service"
    text = (SYSTEMD / "user/maskwatch.service").read_text()
    path.write_text(text.replace(PROGRAM, "/bin/true"))
    result = analyze("verify", "--man=no", "--user", path)
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


@pytest.mark.parametrize("name", ["maskwatch.service", "user/maskwatch.service"])
def test_the_program_understands_how_it_is_started(name: str) -> None:
    (line,) = re.findall(r"^ExecStart=(.*)$", (SYSTEMD / name).read_text(), re.MULTILINE)
    program, *words = shlex.split(line)
    assert program == PROGRAM
    options = build_parser(find_commands()).parse_args(words)
    assert options.command == "run"
    assert options.config == Path("/etc/maskwatch/config.toml")
    assert options.model is None, "the release's environment names it, or else the configuration"


def test_frames_cannot_touch_the_disk() -> None:
    lines = (SYSTEMD / "maskwatch.service").read_text().splitlines()
    assert {
        "ProtectSystem=strict",
        "ReadOnlyPaths=/tmp /var/tmp",
        "MemorySwapMax=0",
        "LimitCORE=0",
    } <= set(lines)
    assert not [line for line in lines if re.match(r"(State|Cache|Logs)Directory=", line)]


def test_the_kernel_knows_cameras_before_the_service_may_use_them() -> None:
    """Or else systemd would skip what DeviceAllow names; see the unit and tests/board."""
    lines = (SYSTEMD / "maskwatch.service").read_text().splitlines()
    assert "DeviceAllow=char-video4linux rw" in lines
    assert {"Wants=modprobe@videodev.service", "After=modprobe@videodev.service"} <= set(lines)


def test_the_scripts_know_every_drop_in() -> None:
    assert f'DROP_INS="{" ".join(DROP_INS)}"\n' in (SYSTEMD / "common.sh").read_text()
    help_text = subprocess.run(
        ["sh", SYSTEMD / "install.sh", "--help"], capture_output=True, text=True, check=True
    ).stdout
    for name in (*DROP_INS, "window"):
        assert f" {name}: " in help_text


@pytest.mark.parametrize("name", ["install.sh", "confirm.sh", "uninstall.sh"])
def test_shellcheck_finds_nothing(name: str) -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("needs shellcheck (Debian: apt install shellcheck), which is not here")
    command = ["shellcheck", "--shell=sh", "--external-sources", str(SYSTEMD / name)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.stdout == ""
