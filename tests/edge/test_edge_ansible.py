"""The Ansible role: real Ansible, the real `maskwatch deploy`, boards in folders.

`tests/board` applies it to an emulated board.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from maskwatch_edge.config.file import load_config

from ..ansible_runs import ANSIBLE, ends_of, run_ansible, write_inventory
from .made_wheels import make_wheel
from .pretended_board import Board

SECONDS = 300

pytestmark = [
    pytest.mark.skipif(
        not sys.platform.startswith("linux") or shutil.which("flock") is None,
        reason="needs flock and the other tools of a Linux system",
    ),
    pytest.mark.skipif(not ANSIBLE.is_dir(), reason="the role is in the checkout alone"),
]

pytest.importorskip("ansible", reason="needs Ansible, of the extra dev")

SETTINGS: dict[str, Any] = {
    "camera.source": "rtsp://camera.example/",
    "camera.stall_seconds": 7.5,
    "indicator.lamps": [
        {"line": "GPIO17", "role": "alert", "blink_hz": 2},
        {"line": 'Tür "Süd" \\ 🚪', "role": "clear"},
    ],
    "statistics.enabled": True,
}


class Fleet:
    """Boards in folders, and what Ansible is told of them."""

    def __init__(self, folder: Path, *names: str) -> None:
        self.boards = {name: Board(folder / name) for name in names}
        self._folder = folder
        self.variables: dict[str, Any] = {
            "maskwatch_doctor": False,  # nothing of it could be asked here
            "maskwatch_build_dir": str(folder / "build"),
            "maskwatch_settings": SETTINGS,
            "maskwatch_with": ["network", "statistics"],
            "maskwatch_wheel": str(make_wheel(folder / "first", "first")),
            "maskwatch_timeout_seconds": 1,
        }

    def apply(self, *options: str, **changed: object) -> dict[str, tuple[int, bool]]:
        """Apply the playbook; return for each board what was changed, and whether it failed."""
        self.variables |= changed
        inventory = write_inventory(self._folder / "hosts.json", self._hosts())
        extra = json.dumps(self.variables)
        self.done = run_ansible(
            "ansible-playbook", "-i", inventory, "site.yml", "-e", extra, *options,
            seconds=SECONDS,
            environment={"PIP_NO_INDEX": "1", "XDG_CACHE_HOME": str(self._folder / "cache")},
        )  # fmt: skip
        return ends_of(self.done)

    def _hosts(self) -> dict[str, Any]:
        return {
            name: {
                "ansible_host": f"{name}.example",
                "ansible_user": "pi",
                "maskwatch_command": [
                    "env",
                    *(f"{key}={value}" for key, value in board.environment.items()),
                    sys.executable,
                    "-m",
                    "maskwatch_edge",
                ],
            }
            for name, board in self.boards.items()
        }


@pytest.fixture
def fleet(tmp_path: Path) -> Callable[..., Fleet]:
    return lambda *names: Fleet(tmp_path, *names)


def test_applied_twice_the_second_time_changes_nothing(fleet: Callable[..., Fleet]) -> None:
    made = fleet("north", "south")
    first = made.apply()
    assert {name: failed for name, (_, failed) in first.items()} == {"north": False, "south": False}
    assert all(changed for changed, _ in first.values()), made.done.stdout
    for board in made.boards.values():
        assert (board.release["release"], board.release["with"]) == ("0001", "network statistics")
    assert made.apply() == {"north": (0, False), "south": (0, False)}, made.done.stdout
    calls = made.boards["north"].calls
    assert sum("restart" in call for call in calls) == 1


def test_the_board_gets_its_settings(fleet: Callable[..., Fleet]) -> None:
    made = fleet("north")
    made.apply(maskwatch_board_settings={"camera.stall_seconds": 9})
    assert made.done.returncode == 0, made.done.stdout
    config = load_config(made.boards["north"].top / "current/config.toml", {}, {}).config
    assert config.camera.source == SETTINGS["camera.source"]
    assert config.camera.stall_seconds == 9
    assert config.statistics.enabled
    assert [lamp.line for lamp in config.indicator.lamps] == [
        lamp["line"] for lamp in SETTINGS["indicator.lamps"]
    ]


def test_a_roll_out_ends_at_the_first_board_that_does_not_become_healthy(
    fleet: Callable[..., Fleet], tmp_path: Path
) -> None:
    made = fleet("north", "south")
    made.apply()
    ends = made.apply(maskwatch_wheel=str(make_wheel(tmp_path / "bad", "crashes")))
    assert made.done.returncode != 0
    assert ends["north"][1], made.done.stdout
    assert "went back to the version before, which runs" in made.done.stdout
    assert "south" not in ends, "the second board should not have been asked"
    assert [board.release["release"] for board in made.boards.values()] == ["0001", "0001"]


def test_a_model_is_brought_to_all_boards(fleet: Callable[..., Fleet], tiny_model: Path) -> None:
    made = fleet("north", "south")
    made.apply()
    ends = made.apply(maskwatch_model=str(tiny_model))
    assert ends == {"north": (1, False), "south": (1, False)}, made.done.stdout
    assert all(board.model == tiny_model.read_bytes() for board in made.boards.values())


def test_a_dry_run_changes_no_board(fleet: Callable[..., Fleet]) -> None:
    made = fleet("north")
    made.apply("--check")
    assert made.done.returncode == 0, made.done.stdout
    assert made.boards["north"].release == {}


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"maskwatch_settings": {"camera.sorce": "0"}}, "camera.sorce"),
        ({"maskwatch_with": ["wings"]}, "value of maskwatch_with must be one"),
        ({"maskwatch_model": "no.tflite"}, "no.tflite"),
    ],
)
def test_what_cannot_be_brought_is_told_and_changes_nothing(
    changed: dict[str, Any], told: str, fleet: Callable[..., Fleet]
) -> None:
    made = fleet("north")
    ends = made.apply(**changed)
    assert ends["north"][1]
    assert told in made.done.stdout
    assert made.boards["north"].release == {}


def test_the_role_has_no_fault_that_its_linter_knows() -> None:
    pytest.importorskip("ansiblelint", reason="needs ansible-lint, of the extra dev")
    done = run_ansible(
        "ansible-lint", "--offline", "--profile", "production", "--strict", seconds=SECONDS
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("board", "own", "device"),
    [("door-1", {"maskwatch_board_settings": {}}, None), ("door-2", {}, "north-door")],
)
def test_the_examples_settings_are_right(
    board: str, own: dict[str, Any], device: str | None, tmp_path: Path
) -> None:
    path = tmp_path / "config.toml"
    here = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    done = run_ansible(
        "ansible", board, "-m", "ansible.builtin.template", "-e", json.dumps(here | own),
        "-a", f"src=roles/maskwatch/templates/config.toml.j2 dest={path}",
        seconds=SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    config = load_config(path, {}, {}).config
    assert (config.mqtt.host, config.mqtt.device_id) == ("broker.local", device)
