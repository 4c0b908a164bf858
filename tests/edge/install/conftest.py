"""A folder that is taken for a board, for the tests of installing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pytest

ROOT = Path(__file__).parents[3]
SCRIPTS = ROOT / "systemd"
FAKES = Path(__file__).parents[1] / "fake_board"
NOTED = ("journalctl", "getent", "groupadd", "groupdel", "udevadm", "stat", "sync")
REACHING = ("ssh", "sudo", "systemd-run")
STEPS = ("mv", "cp", "ln", "rm", "mkdir", "touch", "sync", "systemctl", "python3", "chmod")
NOTHING: Mapping[str, str] = MappingProxyType({})

NEEDS_LINUX = pytest.mark.skipif(
    not sys.platform.startswith("linux") or shutil.which("flock") is None,
    reason="needs flock and the other tools of a Linux system",
)


@dataclass
class Board:
    """A folder that is taken for a board."""

    folder: Path

    def __post_init__(self) -> None:
        if self.folder.exists():
            return
        (self.folder / "state").mkdir(parents=True)
        for name, fake in self._programs():
            program = self.folder / name
            program.parent.mkdir(exist_ok=True)
            program.symlink_to(FAKES / fake)

    def _programs(self) -> Iterator[tuple[str, str]]:
        yield "bin/systemctl", "systemctl"
        yield from ((f"bin/python3{minor}", "python3") for minor in ("", ".11", ".12", ".13"))
        yield from ((f"bin/{name}", name) for name in REACHING)
        yield from ((f"bin/{name}", "note") for name in NOTED)
        yield from ((f"counted/{name}", "counted") for name in STEPS)

    @property
    def root(self) -> Path:
        return self.folder / "root"

    @property
    def top(self) -> Path:
        return self.root / "opt/maskwatch"

    @property
    def units(self) -> Path:
        return self.root / "etc/systemd/system"

    @property
    def config(self) -> Path:
        return self.root / "etc/maskwatch/config.toml"

    def run(
        self,
        script: Path,
        *arguments: str | Path,
        kill_at: int = 0,
        environment: Mapping[str, str] = NOTHING,
    ) -> subprocess.CompletedProcess[str]:
        """Run a script to its end; `kill_at` counts its steps from 1, 0 is never."""
        return subprocess.run(
            ["/bin/sh", script, *arguments],
            env=self.environment() | {"KILL_AT": str(kill_at)} | dict(environment),
            cwd=self.folder,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def environment(self) -> dict[str, str]:
        """Count steps anew, and return what a program must know that runs here."""
        self.write("calls", "0\n")
        self.write("steps", "")
        folders = [self.folder / "counted", self.folder / "bin", "/usr/sbin", "/usr/bin", "/bin"]
        return {
            "PATH": ":".join(map(str, folders)),
            "MASKWATCH_ROOT": str(self.root),
            "MASKWATCH_POLL_SECONDS": "0.05",
            "MASKWATCH_SETTLE_SECONDS": "0",
            "MASKWATCH_TIMEOUT_SECONDS": "1",
            "FAKE_BOARD": str(self.folder / "state"),
            "REAL_PYTHON": sys.executable,
            "REAL_PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        }

    def install(
        self,
        *arguments: str | Path,
        kill_at: int = 0,
        environment: Mapping[str, str] = NOTHING,
    ) -> subprocess.CompletedProcess[str]:
        words = ("--settle", "0", "--timeout", "1", *arguments)
        return self.run(SCRIPTS / "install.sh", *words, kill_at=kill_at, environment=environment)

    def confirm(self, kill_at: int = 0) -> subprocess.CompletedProcess[str]:
        return self.run(self.top / "current/installer/confirm.sh", kill_at=kill_at)

    def uninstall(self, *arguments: str, kill_at: int = 0) -> subprocess.CompletedProcess[str]:
        return self.run(SCRIPTS / "uninstall.sh", *arguments, kill_at=kill_at)

    def boot(self) -> None:
        """Do what a power cut and a boot do: what is enabled starts from what is on the disk."""
        shutil.rmtree(self.folder / "state/systemd/loaded", ignore_errors=True)
        for name in ("running", "behaviour", "confirm-asked"):
            (self.folder / "state/systemd" / name).unlink(missing_ok=True)
        script = "systemctl daemon-reload; systemctl is-enabled maskwatch.service || exit 0; "
        self.run(self.script(script + "systemctl restart maskwatch.service"))
        is_enabled = (self.folder / "state/systemd/enabled/maskwatch-confirm.service").exists()
        if is_enabled and (self.top / "unconfirmed").is_symlink():
            self.confirm()

    def script(self, text: str) -> Path:
        path = self.folder / "script.sh"
        path.write_text(text)
        return path

    def write(self, name: str, text: str) -> Path:
        path = self.folder / "state" / name
        path.write_text(text)
        return path

    def wheels(self, text: str) -> Path:
        """Make a folder with a wheel that says this."""
        folder = self.folder / f"wheels {text}"
        folder.mkdir(exist_ok=True)
        (folder / "maskwatch-0.1.0-py3-none-any.whl").write_text(f"{text}\n")
        return folder

    @property
    def steps(self) -> list[str]:
        """What the last script did, step by step."""
        return (self.folder / "state/steps").read_text().splitlines()

    def copy(self, name: str) -> Board:
        """Make another board that is in the same state."""
        shutil.copytree(self.folder, self.folder.parent / name, symlinks=True)
        return Board(self.folder.parent / name)

    def release(self, link: str = "current") -> str | None:
        path = self.top / link
        return path.readlink().name if path.is_symlink() else None

    @property
    def runs(self) -> str | None:
        """What the model says that the running service has loaded; None if none runs."""
        running = self.folder / "state/systemd/running"
        if not running.exists():
            return None
        release = Path(running.read_text().strip())
        assert (self.top / release / "venv/bin/python").is_file(), "its program is still there"
        return self.model_of(str(release))

    def model_of(self, release: str) -> str:
        """What the model of a release says: the one that was given, or else the program's."""
        files = [self.top / release / name for name in ("model.tflite", "venv/shipped/wheel")]
        return next(file for file in files if file.exists()).read_text(errors="replace").strip()

    @property
    def calls(self) -> list[str]:
        log = self.folder / "state/log"
        return log.read_text().splitlines() if log.exists() else []

    @property
    def finished(self) -> set[str]:
        return {path.parent.name for path in self.top.glob("releases/*/release.json")}

    @property
    def all_releases(self) -> set[str]:
        return {path.name for path in self.top.glob("releases/*")}

    def assert_sound(self) -> None:
        """Whatever happened: the link leads to a finished release, or there is none."""
        release = self.release()
        assert release is None or release in self.finished
        if release:
            described = json.loads((self.top / "current/release.json").read_text())
            assert (self.top / "venvs" / described["program"] / "complete").is_file()

    def assert_clean(self) -> None:
        """Nothing is left of any interruption."""
        self.assert_sound()
        assert self.all_releases == self.finished
        assert len(self.finished) <= 2
        used = {path.readlink().name for path in self.top.glob("releases/*/venv")}
        assert {path.name for path in self.top.glob("venvs/*")} == used
        names = {path.name for path in self.top.iterdir()}
        assert names <= {"releases", "venvs", "current", "lock"}
        assert not list(self.root.rglob("*.new"))


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path / "board")


@pytest.fixture
def installed(board: Board) -> Board:
    """Give a board where a first version runs."""
    assert board.install("--wheels", board.wheels("first")).returncode == 0
    assert board.runs == "first"
    return board
