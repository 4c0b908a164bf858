"""The window, drawn by SDL's dummy driver; its keys come through SDL's own queue."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from maskwatch_edge.cameras.state import CameraState
from maskwatch_edge.display.screen import NIGHT
from maskwatch_edge.display.window import FIRST_SIZE_WH, Window
from maskwatch_edge.errors import MissingExtraError, OutputError
from maskwatch_edge.frame import Frame
from maskwatch_edge.view import View

RED = (230, 20, 30)
DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR", "SDL_VIDEODRIVER")


class Quitting:
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
def quitting() -> Quitting:
    return Quitting()


@pytest.fixture
def window(pygame: Any, quitting: Quitting) -> Iterator[Window]:
    window = Window(quitting)
    yield window
    window.close()


def red_view(width: int = 160, height: int = 120, now: float = 0.0) -> View:
    pixels = np.full((height, width, 3), RED, dtype=np.uint8)
    frame = Frame(pixels, 0, now, "camera", 25.0)
    return View(frame, (), (), (), CameraState.SEEING, 25.0, now)


def empty_view(now: float, camera: CameraState = CameraState.LOST) -> View:
    return View(None, (), (), (), camera, 0.0, now)


def at(pygame: Any, x: int, y: int) -> tuple[int, ...]:
    return tuple(pygame.display.get_surface().get_at((x, y)))[:3]


def test_the_window_fits_the_desktop_and_shows_the_picture_in_its_colours(
    pygame: Any, window: Window
) -> None:
    window.show(red_view())
    width, height = pygame.display.get_surface().get_size()
    desktop_width, desktop_height = pygame.display.get_desktop_sizes()[0]
    assert width / height == pytest.approx(FIRST_SIZE_WH[0] / FIRST_SIZE_WH[1], rel=0.01)
    assert 300 < width <= min(FIRST_SIZE_WH[0], desktop_width)
    assert height <= min(FIRST_SIZE_WH[1], desktop_height)
    assert at(pygame, width // 2, height // 2) == RED


def test_the_picture_reaches_the_screen(
    pygame: Any, window: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The dummy driver writes every picture that it would show into the working folder.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SDL_VIDEO_DUMMY_SAVE_FRAMES", "1")
    window.show(red_view())
    shown = cv2.imread(str(max(tmp_path.glob("*.bmp"))))
    assert shown is not None
    assert (
        tuple(int(value) for value in shown[shown.shape[0] // 2, shown.shape[1] // 2])
        == (RED[::-1])
    )


def test_a_full_screen_window_covers_the_desktop_and_hides_the_mouse(pygame: Any) -> None:
    window = Window(lambda: None, full_screen=True)
    surface = pygame.display.get_surface()
    assert surface.get_size() == pygame.display.get_desktop_sizes()[0]
    assert surface.get_flags() & pygame.FULLSCREEN
    assert not pygame.mouse.get_visible()
    window.close()


def test_a_window_that_the_user_resizes_is_filled(pygame: Any, window: Window) -> None:
    window.show(red_view())
    pygame.display.set_mode((200, 300), pygame.RESIZABLE)
    window.show(red_view())
    assert at(pygame, 100, 130) == RED
    window.show(empty_view(1.0))
    assert at(pygame, 199, 299) == NIGHT


def test_the_picture_stays_while_the_next_one_is_awaited(pygame: Any, window: Window) -> None:
    window.show(red_view())
    window.show(empty_view(0.1, CameraState.SEEING))
    assert at(pygame, *(side // 2 for side in pygame.display.get_surface().get_size())) == RED
    window.show(empty_view(0.2, CameraState.LOST))
    assert at(pygame, 0, 0) == NIGHT


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
@pytest.mark.parametrize("next_view", [red_view(), empty_view(0.1)])
def test_escape_q_and_the_close_button_end_the_program_also_without_a_picture(
    pygame: Any,
    window: Window,
    quitting: Quitting,
    next_view: View,
    kind: str,
    key: str | None,
    ends: bool,
) -> None:
    window.show(empty_view(0.0))
    values = {} if key is None else {"key": getattr(pygame, key)}
    pygame.event.post(pygame.event.Event(getattr(pygame, kind), **values))
    window.show(next_view)
    assert quitting.times == int(ends)


def test_the_window_may_be_closed_twice_and_tells_that_it_is_gone(window: Window) -> None:
    window.show(red_view())
    window.close()
    window.close()
    with pytest.raises(OutputError, match="cannot open a window"):
        window.show(red_view())


def test_a_window_may_be_opened_after_another(pygame: Any, window: Window) -> None:
    window.close()
    with Window(lambda: None) as second:
        second.show(red_view())
        assert pygame.display.get_surface() is not None
    assert pygame.display.get_surface() is None


def test_a_driver_that_is_not_there_is_told(pygame: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "nonsense")
    with pytest.raises(OutputError, match=r"nonsense.*desktop session, or give --display none"):
        Window(lambda: None)


def test_a_machine_without_pygame_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pygame", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'maskwatch\[display\]'"):
        Window(lambda: None)


def test_a_machine_without_a_display_is_told_so(
    pygame: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in DISPLAYS:
        monkeypatch.delenv(name, raising=False)
    if any(Path("/dev/dri").glob("card*")):
        pytest.skip("SDL may draw on this machine's screen without a desktop")
    with pytest.raises(OutputError, match="cannot open a window: there is no display; start it in"):
        Window(lambda: None)
