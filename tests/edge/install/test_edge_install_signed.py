"""Boards with trusted keys: the real scripts, and the real `maskwatch verify`."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import NEEDS_LINUX, Board

pytest.importorskip("cryptography", reason="needs the extra signatures")

from maskwatch_edge.signatures.keys import new_key, read_private
from maskwatch_edge.signatures.signing import sign

pytestmark = NEEDS_LINUX

Wheels = Callable[..., Path]


@pytest.fixture
def key(tmp_path: Path) -> Path:
    new_key(tmp_path / "key")
    return tmp_path / "key"


@pytest.fixture
def public(key: Path) -> Path:
    return key.with_name("key.pub")


@pytest.fixture
def wheels(board: Board, key: Path) -> Wheels:
    """Give a function that makes a folder with a signed wheel that says something."""

    def make(text: str, serial: int, key: Path = key) -> Path:
        folder = board.wheels(text)
        sign(next(folder.glob("*.whl")), read_private(key), serial)
        return folder

    return make


@pytest.fixture
def trusting(board: Board, wheels: Wheels, public: Path) -> Board:
    """Give a board that runs a program with the serial 10, and takes only what is signed."""
    result = board.install("--wheels", wheels("first", 10), "--trust", public)
    assert result.returncode == 0, result.stderr
    assert "from now on this board takes only what a key of" in result.stderr
    return board


def keys(board: Board) -> Path:
    return board.root / "etc/maskwatch/trusted-keys"


def described(board: Board) -> dict[str, str]:
    return dict(json.loads((board.top / "current/release.json").read_text()))


def model(board: Board, text: str, key: Path, serial: int) -> Path:
    path = board.write(f"{text}.tflite", f"{text}\n")
    sign(path, read_private(key), serial)
    return path


def assert_refused(board: Board, told: str, *words: str | Path) -> None:
    before = board.runs, board.release(), sum("restart" in call for call in board.calls)
    trusted = keys(board).read_bytes()
    result = board.install(*words)
    assert (result.returncode, told in result.stderr) == (1, True), result.stderr
    assert before == (board.runs, board.release(), sum("restart" in call for call in board.calls))
    assert keys(board).read_bytes() == trusted
    board.assert_clean()


def test_a_signed_program_and_model_are_taken(trusting: Board, wheels: Wheels, key: Path) -> None:
    assert keys(trusting).stat().st_mode & 0o777 == 0o644
    assert (described(trusting)["program_serial"], described(trusting)["model_serial"]) == (
        "10",
        "",
    )
    given = model(trusting, "given", key, 5)
    result = trusting.install("--wheels", wheels("second", 11), "--model", given)
    assert result.returncode == 0, result.stderr
    assert trusting.runs == "given"
    assert (described(trusting)["program_serial"], described(trusting)["model_serial"]) == (
        "11",
        "5",
    )
    again = trusting.install("--wheels", wheels("second", 11))
    assert "nothing to do" in again.stderr, "the model that stays is signed, too"
    trusting.assert_clean()


def test_what_is_not_signed_by_a_trusted_key_is_refused(
    trusting: Board, wheels: Wheels, key: Path, tmp_path: Path
) -> None:
    new_key(tmp_path / "another")
    unsigned = trusting.wheels("unsigned")
    assert_refused(trusting, "is not signed", "--wheels", unsigned)
    foreign = wheels("foreign", 11, tmp_path / "another")
    assert_refused(trusting, "expected a key of", "--wheels", foreign)
    changed = wheels("changed", 11)
    (wheel,) = changed.glob("*.whl")
    wheel.write_text("Changed\n")
    assert_refused(trusting, "is not the file that the key", "--wheels", changed)
    given = model(trusting, "given", key, 5)
    given.write_text("broken\n")  # which the program would say if it read it
    first = wheels("first", 10)
    assert_refused(trusting, "is not the file that", "--wheels", first, "--model", given)
    assert_refused(trusting, "and a checkout is not; give --wheels DIR")


def test_an_older_serial_is_refused_unless_it_is_meant(
    trusting: Board, wheels: Wheels, key: Path
) -> None:
    older = wheels("older", 9)
    told = "the program is older than the one that runs: its serial is 9, that one's 10"
    assert_refused(trusting, told, "--wheels", older)
    assert trusting.install("--wheels", older, "--allow-older").returncode == 0
    assert (trusting.runs, described(trusting)["program_serial"]) == ("older", "9")
    first = trusting.install(
        "--wheels", wheels("older", 9), "--model", model(trusting, "a", key, 5)
    )
    assert first.returncode == 0, first.stderr
    # A model that is no longer run is remembered.
    assert trusting.install("--wheels", older, "--model", "shipped").returncode == 0
    told = "the model is older than the one that runs: its serial is 4, that one's 5"
    before = model(trusting, "b", key, 4)
    assert_refused(trusting, told, "--wheels", older, "--model", before)


def test_the_way_back_from_what_is_not_healthy_stays_open(trusting: Board, wheels: Wheels) -> None:
    result = trusting.install("--wheels", wheels("crashes", 12))
    assert result.returncode == 3
    assert (trusting.runs, described(trusting)["program_serial"]) == ("first", "10")
    trusting.assert_clean()
    assert trusting.install("--wheels", wheels("second", 11)).returncode == 0


def test_keys_are_trusted_once_what_they_came_with_is_healthy(
    board: Board, wheels: Wheels, public: Path
) -> None:
    assert board.install("--wheels", wheels("crashes", 1), "--trust", public).returncode == 3
    assert not keys(board).exists()
    assert board.install("--wheels", board.wheels("unsigned")).returncode == 0


def test_only_root_by_hand_changes_the_keys(
    trusting: Board, wheels: Wheels, tmp_path: Path, public: Path
) -> None:
    new_key(tmp_path / "another")
    second = wheels("second", 11)
    told = "this board trusts other keys, which only its root may change"
    assert_refused(trusting, told, "--wheels", second, "--trust", tmp_path / "another.pub")
    assert trusting.install("--wheels", second, "--trust", public).returncode == 0
    keys(trusting).unlink()
    assert trusting.install("--wheels", trusting.wheels("unsigned")).returncode == 0


def test_a_program_that_cannot_check_takes_nothing(
    trusting: Board, wheels: Wheels, tmp_path: Path
) -> None:
    (tmp_path / "without/cryptography").mkdir(parents=True)
    (tmp_path / "without/cryptography/__init__.py").write_text("raise ImportError\n")
    without = {"REAL_PYTHONPATH": f"{tmp_path / 'without'}:{os.environ.get('PYTHONPATH', '')}"}
    result = trusting.install("--wheels", wheels("second", 11), environment=without)
    assert result.returncode == 1
    assert "pip install 'maskwatch[signatures]'" in result.stderr
    assert trusting.runs == "first"


def test_keys_without_a_program_that_could_check_are_told(board: Board, public: Path) -> None:
    keys(board).parent.mkdir(parents=True)
    keys(board).write_bytes(public.read_bytes())
    result = board.install("--wheels", board.wheels("first"))
    assert (result.returncode, f"remove {keys(board)}" in result.stderr) == (1, True)


def test_the_model_that_runs_must_be_signed_once_keys_are_trusted(
    installed: Board, wheels: Wheels, public: Path, key: Path
) -> None:
    path = installed.write("given.tflite", "given\n")
    first = wheels("first", 10)
    assert installed.install("--wheels", first, "--model", path).returncode == 0
    assert installed.install("--wheels", first, "--trust", public).returncode == 0
    assert_refused(installed, "model.tflite is not signed", "--wheels", first)
    sign(path, read_private(key), 3)
    assert installed.install("--wheels", first, "--model", path).returncode == 0
    assert described(installed)["model_serial"] == "3"


def test_the_keys_go_with_all_else(trusting: Board) -> None:
    assert trusting.uninstall("--keep-config").returncode == 0
    assert not keys(trusting).exists()
