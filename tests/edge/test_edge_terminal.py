"""The text console on the same screen, with a terminal that answers like the kernel's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from maskwatch_edge.display.terminal import (
    CLEAR,
    KD_GRAPHICS,
    KD_TEXT,
    KDSETMODE,
    SHOW_CURSOR,
    FakeTerminal,
    TextConsole,
)


@pytest.fixture
def tty(tmp_path: Path) -> Path:
    path = tmp_path / "tty1"
    path.touch()
    return path


def test_text_is_kept_off_the_screen_and_comes_back(tty: Path) -> None:
    kernel = FakeTerminal()
    console = TextConsole([tty], kernel)
    assert kernel.modes == [KD_TEXT, KD_GRAPHICS]
    console.close()
    console.close()
    assert kernel.modes == [KD_TEXT, KD_GRAPHICS, KD_TEXT]
    assert tty.read_bytes() == b""


def test_where_graphics_mode_is_not_allowed_only_the_cursor_goes(tty: Path) -> None:
    kernel = FakeTerminal(allows_graphics=False)
    with TextConsole([tty], kernel):
        assert tty.read_bytes() == CLEAR
    assert tty.read_bytes() == CLEAR + SHOW_CURSOR
    assert kernel.modes == [KD_TEXT]


def test_a_terminal_that_is_no_screens_is_left_alone(tty: Path) -> None:
    kernel = FakeTerminal(is_screen=False)
    with TextConsole([tty], kernel):
        pass
    assert kernel.modes == [KD_TEXT]
    assert tty.read_bytes() == b""


def test_a_real_terminal_as_of_ssh_gets_no_escape_sequences() -> None:
    master, slave = os.openpty()
    os.set_blocking(master, False)
    with TextConsole([Path(os.ttyname(slave))]), pytest.raises(BlockingIOError):
        os.read(master, 1)
    os.close(slave)
    os.close(master)


def test_the_first_terminal_that_is_there_is_taken(tty: Path, tmp_path: Path) -> None:
    other = tmp_path / "tty2"
    other.touch()
    with TextConsole([tmp_path / "none", tty, other], FakeTerminal(allows_graphics=False)):
        assert tty.read_bytes() == CLEAR
        assert other.read_bytes() == b""


@pytest.mark.parametrize("is_screen", [True, False])
@pytest.mark.parametrize("allows_graphics", [True, False])
def test_nothing_is_left_open(tty: Path, is_screen: bool, allows_graphics: bool) -> None:
    before = sorted(Path("/proc/self/fd").iterdir())
    TextConsole([tty], FakeTerminal(is_screen, allows_graphics)).close()
    assert sorted(Path("/proc/self/fd").iterdir()) == before


def test_no_terminal_at_all_is_fine(tmp_path: Path) -> None:
    with TextConsole([tmp_path / "none"]):
        pass


def test_the_fake_refuses_what_the_kernel_would(tty: Path) -> None:
    kernel = FakeTerminal()
    with tty.open() as file:
        with pytest.raises(OSError, match="Invalid argument"):
            kernel(file.fileno(), KDSETMODE, 7)
        with pytest.raises(OSError, match="Invalid argument"):
            kernel(file.fileno(), 0x1234, 0)
    with pytest.raises(OSError, match="Bad file descriptor"):
        kernel(-1, KDSETMODE, KD_TEXT)
