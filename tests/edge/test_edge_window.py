"""The window, drawn by SDL's dummy driver; its keys come through SDL's own queue."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskwatch_edge.errors import MissingExtraError, OutputError
from maskwatch_edge.frame import Frame
from maskwatch_edge.pictures import write_picture
from maskwatch_edge.sinks import Window, open_display

RED = (230, 20, 30)
DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR", "SDL_VIDEODRIVER")


class Ending:
    """Counts how often the user wanted to end."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


@pytest.fixture
def pygame(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    return pytest.importorskip("pygame", reason="needs pygame-ce, of the extra display")


@pytest.fixture
def ending() -> Ending:
    return Ending()


@pytest.fixture
def window(pygame: Any, ending: Ending) -> Iterator[Window]:
    window = Window(ending)
    yield window
    window.close()


def red_frame(width: int = 160, height: int = 120) -> Frame:
    return Frame(np.full((height, width, 3), RED, dtype=np.uint8), 0, 0.0, "camera", 25.0)


def test_the_window_shows_the_frame_in_its_colours_and_size(pygame: Any, window: Window) -> None:
    window.show(red_frame(), [])
    surface = pygame.display.get_surface()
    assert surface.get_size() == (160, 120)
    assert tuple(surface.get_at((150, 20)))[:3] == RED


def test_a_frame_of_another_size_is_fitted_into_the_window(pygame: Any, window: Window) -> None:
    window.show(red_frame(), [])
    window.show(red_frame(64, 200), [])
    surface = pygame.display.get_surface()
    assert surface.get_size() == (160, 120)
    assert tuple(surface.get_at((150, 20)))[:3] == pytest.approx(RED, abs=2)


@pytest.mark.parametrize(
    ("kind", "key", "ends"),
    [
        ("KEYDOWN", "K_ESCAPE", True),
        ("KEYDOWN", "K_q", True),
        ("KEYDOWN", "K_a", False),  # another key
        ("KEYUP", "K_q", False),  # a key that was held since before the start
        ("QUIT", None, True),  # the window's close button
    ],
)
def test_escape_q_and_the_close_button_end_the_program(
    pygame: Any, window: Window, ending: Ending, kind: str, key: str | None, ends: bool
) -> None:
    window.show(red_frame(), [])
    values = {} if key is None else {"key": getattr(pygame, key)}
    pygame.event.post(pygame.event.Event(getattr(pygame, kind), **values))
    window.show(red_frame(), [])
    assert ending.times == int(ends)


def test_the_window_may_be_closed_twice(window: Window) -> None:
    window.show(red_frame(), [])
    window.close()
    window.close()


def test_a_driver_that_is_not_there_is_told(pygame: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "nonsense")
    with pytest.raises(OutputError, match=r"nonsense.*desktop session, or give --display none"):
        Window(lambda: None)


def test_a_machine_without_pygame_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pygame", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'maskwatch\[display\]'"):
        open_display("window", lambda: None)


def test_a_machine_without_a_display_is_told_so_in_one_line(
    pygame: Any,
    tmp_path: Path,
    tiny_model: Path,
    maskwatch: Callable[..., subprocess.CompletedProcess[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in DISPLAYS:
        monkeypatch.delenv(name, raising=False)
    if any(Path("/dev/dri").glob("card*")):
        pytest.skip("SDL may draw on this machine's screen without a desktop")
    write_picture(tmp_path / "a.png", red_frame().pixels)
    done = maskwatch("run", "--source", "a.png", "--display", "window", "--model", tiny_model)
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = [line for line in done.stderr.splitlines() if "XDG_RUNTIME_DIR" not in line]
    assert line == (
        "maskwatch run: error: cannot open a window: there is no display; "
        "start it in a desktop session, or give --display none"
    )


def test_nothing_but_our_lines_comes_on_stdout_while_a_window_is_open(
    pygame: Any,
    tmp_path: Path,
    tiny_model: Path,
    maskwatch: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    assert os.environ["SDL_VIDEODRIVER"] == "dummy"
    write_picture(tmp_path / "a.png", red_frame().pixels)
    done = maskwatch("run", "--source", "a.png", "--display", "window", "--model", tiny_model)
    assert (done.returncode, done.stdout) == (0, "a.png: no face\n")
