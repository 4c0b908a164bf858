"""A board in a folder as a target: what was installed runs, or what was to be installed."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from ..edge.install.conftest import Board
from ..edge.install.test_edge_install_cut_short import assert_survived
from ..edge.made_wheels import make_wheel
from .killing import Command, Ended


def board_in(folder: Path) -> Board:
    """Return the board of a target's folder."""
    return Board(folder / "board")


def prepare_board(folder: Path) -> None:
    """Install a first version on a board, and write what is to come."""
    board = board_in(folder)
    (board.root / "run/systemd/system").mkdir(parents=True)
    (folder / "model.tflite").write_text("second")
    shutil.move(make_wheel(folder / "made", "second"), folder)
    done = board.install("--wheels", board.wheels("first"))
    assert done.returncode == 0, done.stderr


def deploy(folder: Path) -> Command:
    """Return the command of the workstation."""
    wheel = next(folder.glob("*.whl")).name
    return [sys.executable, "-m", "maskwatch_edge", "deploy", "pi@board.example", "--wheel", wheel]


def replace_model(folder: Path) -> Command:
    """Return the command on the board."""
    options = ("--settle", "0", "--timeout", "1", "--model", "model.tflite")
    script = board_in(folder).top / "current/installer/install.sh"
    return ["/bin/sh", script, *options]


def board_environment(folder: Path) -> dict[str, str]:
    """Return what is to be known by programs that run on the board, or reach it."""
    cache = {"XDG_CACHE_HOME": str(folder / "cache"), "PIP_NO_INDEX": "1"}
    return board_in(folder).environment() | cache | {"MASKWATCH_NEED_MIB": "0"}


def check_cut_board(folder: Path, before: Path, whole: Path, ended: Ended) -> None:
    """Check that the board runs one of both versions, once it is on again."""
    board = board_in(folder)
    board.assert_sound()
    if ended.all_at_once:
        board.boot()
    elif (board.folder / "state/systemd/confirm-asked").exists():
        board.confirm()
    allowed = {board_in(before).runs, board_in(whole).runs}
    assert_survived(board, {version for version in allowed if version})


def check_whole_board(folder: Path, whole: Path) -> None:
    """Check that the board runs the new version, and that nothing else is left."""
    board = board_in(folder)
    assert_survived(board, {board_in(whole).runs or ""})
    board.assert_clean()
    assert not (board.root / "var/cache/maskwatch/bundle").exists()
