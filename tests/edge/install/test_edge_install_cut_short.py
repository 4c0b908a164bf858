"""An installation that is cut short: the old version or the new one runs, wherever that happens.

The plug is pulled before each single step, and it is looked at what is left.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable

import pytest

from .conftest import NEEDS_LINUX, Board

pytestmark = NEEDS_LINUX

KILLED = -9
STRIDE = 1 if os.environ.get("HYPOTHESIS_PROFILE") == "search" else 3
"""Where a step like its neighbours is cut short, only each of so many is, to save time."""


def first_step(steps: list[str], word: str) -> int:
    """Return the number of the first step with this word, counted from 1."""
    return next(number for number, step in enumerate(steps, 1) if word in step)


def all_steps(steps: list[str]) -> list[int]:
    """Every step of the switch, and some of the others, which are much alike."""
    switch, restart = first_step(steps, "rollback.new"), first_step(steps, "restart")
    after = range(restart + 1, len(steps) + 1, STRIDE)
    return [*range(1, switch, 2 * STRIDE), *range(switch, restart + 1), *after]


def last_steps(steps: list[str]) -> list[int]:
    """The steps from the start of the new version on."""
    return list(range(first_step(steps, "restart"), len(steps) + 1))


def assert_survived(board: Board, allowed: set[str]) -> None:
    """One of these versions runs, it is healthy, and the one that the link leads to."""
    board.assert_sound()
    assert board.runs in allowed
    assert board.runs == board.model_of("current")
    running = (board.folder / "state/systemd/running").read_text().strip()
    assert running == f"releases/{board.release()}"
    assert not (board.top / "unconfirmed").is_symlink()


# Up to the start of the new version, it makes no difference whether that will be healthy.
UPDATES = [
    ("crashes", all_steps, {"first"}, 3),
    ("second", last_steps, {"second"}, 0),
]


@pytest.mark.parametrize(("wheel", "choose", "allowed", "code"), UPDATES)
def test_a_power_cut_at_any_step_of_an_update_leaves_a_version_that_works(
    installed: Board,
    wheel: str,
    choose: Callable[[list[str]], list[int]],
    allowed: set[str],
    code: int,
) -> None:
    whole = installed.copy("whole")
    assert whole.install("--wheels", whole.wheels(wheel)).returncode == code
    for step in choose(whole.steps):
        board = installed.copy(f"cut-{step}")
        assert board.install("--wheels", board.wheels(wheel), kill_at=step).returncode == KILLED
        board.assert_sound()
        board.boot()
        assert_survived(board, allowed)
        if step % 8 == 0:  # and the next installation clears up
            assert board.install("--wheels", board.wheels(wheel)).returncode == code
            assert_survived(board, allowed)
            board.assert_clean()
        shutil.rmtree(board.folder)


@pytest.mark.parametrize(("wheel", "choose", "allowed", "code"), UPDATES)
def test_an_installer_that_is_killed_at_any_step_is_finished_by_the_other_unit(
    installed: Board,
    wheel: str,
    choose: Callable[[list[str]], list[int]],
    allowed: set[str],
    code: int,
) -> None:
    whole = installed.copy("whole")
    assert whole.install("--wheels", whole.wheels(wheel)).returncode == code
    asked = first_step(whole.steps, "maskwatch-confirm.service")
    for step in choose(whole.steps):
        if step <= asked or step % STRIDE:  # before that, the old version runs on untouched
            continue
        board = installed.copy(f"killed-{step}")
        assert board.install("--wheels", board.wheels(wheel), kill_at=step).returncode == KILLED
        assert (board.folder / "state/systemd/confirm-asked").exists()
        board.confirm()
        assert_survived(board, allowed)
        shutil.rmtree(board.folder)


def test_a_second_power_cut_while_the_first_is_mended_is_survived(installed: Board) -> None:
    whole = installed.copy("whole")
    whole.install("--wheels", whole.wheels("crashes"))
    restart = first_step(whole.steps, "restart")
    installed.install("--wheels", installed.wheels("crashes"), kill_at=restart)
    whole = installed.copy("whole-again")
    assert whole.confirm().returncode == 3
    for step in range(1, len(whole.steps) + 1, STRIDE):
        board = installed.copy(f"cut-{step}")
        assert board.confirm(kill_at=step).returncode == KILLED
        board.assert_sound()
        board.boot()
        assert_survived(board, {"first"})
        shutil.rmtree(board.folder)


def test_a_power_cut_at_any_step_of_a_first_installation_can_be_begun_again(board: Board) -> None:
    whole = board.copy("whole")
    assert whole.install("--wheels", whole.wheels("first")).returncode == 0
    for step in all_steps(whole.steps)[::STRIDE]:
        other = board.copy(f"cut-{step}")
        assert other.install("--wheels", other.wheels("first"), kill_at=step).returncode == KILLED
        other.assert_sound()
        other.boot()
        assert other.install("--wheels", other.wheels("first")).returncode == 0
        assert_survived(other, {"first"})
        other.assert_clean()
        shutil.rmtree(other.folder)


def test_an_uninstallation_can_be_cut_short_and_begun_again(installed: Board) -> None:
    installed.config.write_text("# mine\n")
    whole = installed.copy("whole")
    assert whole.uninstall("--keep-config").returncode == 0
    for step in range(1, len(whole.steps) + 1):
        board = installed.copy(f"cut-{step}")
        assert board.uninstall("--keep-config", kill_at=step).returncode == KILLED
        assert board.uninstall("--keep-config").returncode == 0
        left = {path for path in board.root.rglob("*") if not path.is_dir()}
        assert left == {board.config}
        assert board.config.read_text() == "# mine\n"
        assert not board.config.is_symlink()
        shutil.rmtree(board.folder)
