"""The console display: views onto a framebuffer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from maskwatch_edge.annotate import COLOURS
from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.cameras.state import CameraState
from maskwatch_edge.contract import WITHOUT_MASK
from maskwatch_edge.display.console import Console
from maskwatch_edge.display.framebuffer import FakeFramebuffer
from maskwatch_edge.display.screen import NIGHT
from maskwatch_edge.display.screen_info import ScreenInfo
from maskwatch_edge.display.terminal import KD_GRAPHICS, KD_TEXT, FakeTerminal, TextConsole
from maskwatch_edge.errors import OutputError
from maskwatch_edge.frame import Frame
from maskwatch_edge.tracks import Track
from maskwatch_edge.verdict import Decision, Sighting, Verdict
from maskwatch_edge.view import View

XRGB = ScreenInfo(320, 240, 1280, 32, (16, 8), (8, 8), (0, 8))
RGB565 = ScreenInfo(320, 240, 640, 16, (11, 5), (5, 6), (0, 5))
SKIN = (90, 120, 150)
FACE = FaceBox(60, 40, 100, 90)
PERSON = Track(
    1, FACE, Decision.NO_MASK, Sighting(FACE, Verdict(WITHOUT_MASK, 0.9), Decision.NO_MASK), 0, 1
)


def at(screen: FakeFramebuffer, x: int, y: int) -> tuple[int, ...]:
    return tuple(int(value) for value in screen.picture()[y, x])


def view(camera: CameraState = CameraState.SEEING, now: float = 0.0) -> View:
    is_seeing = camera is CameraState.SEEING
    pixels = np.full((120, 160, 3), SKIN, dtype=np.uint8)
    frame = Frame(pixels, 0, now, "camera", 30.0) if is_seeing else None
    return View(frame, (), (PERSON,) if is_seeing else (), (), camera, 10.0, now)


@pytest.fixture(params=[XRGB, RGB565], ids=["32 bits", "16 bits"])
def screen(request: pytest.FixtureRequest, tmp_path: Path) -> FakeFramebuffer:
    return FakeFramebuffer(tmp_path / "fb0", request.param)


@pytest.fixture
def kernel() -> FakeTerminal:
    return FakeTerminal()


@pytest.fixture
def open_console(
    screen: FakeFramebuffer, kernel: FakeTerminal, tmp_path: Path
) -> Iterator[Callable[[], Console]]:
    opened = []

    def open_it() -> Console:
        (tmp_path / "tty1").touch()
        text = TextConsole([tmp_path / "tty1"], kernel)
        opened.append(Console(tmp_path / "fb0", screen, text))
        return opened[-1]

    yield open_it
    for console in opened:
        console.close()


def test_the_screen_shows_picture_box_and_count_and_then_that_the_camera_is_lost(
    screen: FakeFramebuffer, open_console: Callable[[], Console]
) -> None:
    console = open_console()
    console.show(view())
    red = COLOURS[Decision.NO_MASK]
    assert at(screen, 40, 100) == pytest.approx(SKIN, abs=8)
    assert at(screen, 20 + round(60 * 1.75), 120) == pytest.approx(red, abs=8)  # its box
    assert at(screen, 160, 238) == pytest.approx(red, abs=8)  # the bar below
    console.show(view(CameraState.LOST, 1.0))
    assert at(screen, 40, 100) == pytest.approx(NIGHT, abs=8)


def test_the_screen_is_given_back_as_it_was(
    screen: FakeFramebuffer, kernel: FakeTerminal, open_console: Callable[[], Console]
) -> None:
    console = open_console()
    assert kernel.modes[-1] == KD_GRAPHICS
    console.show(view())
    assert np.any(screen.picture())
    console.close()
    console.close()
    assert not np.any(screen.picture())
    assert kernel.modes[-1] == KD_TEXT


def test_a_screen_that_is_pulled_out_is_told_and_the_text_console_comes_back(
    screen: FakeFramebuffer, kernel: FakeTerminal, open_console: Callable[[], Console]
) -> None:
    console = open_console()
    console.show(view())
    screen.is_gone = True
    with pytest.raises(OutputError, match="is not there"):
        console.show(view())
    console.close()
    assert kernel.modes[-1] == KD_TEXT


def test_the_picture_follows_a_change_of_resolution(
    screen: FakeFramebuffer, open_console: Callable[[], Console]
) -> None:
    console = open_console()
    console.show(view())
    screen.info = ScreenInfo(160, 100, 640, 32, (16, 8), (8, 8), (0, 8))
    console.show(view())
    assert at(screen, 80, 10) == SKIN
