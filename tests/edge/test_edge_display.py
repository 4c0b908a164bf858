"""Which display is opened, and that the service goes on without one."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from maskwatch_edge.cameras.state import CameraState
from maskwatch_edge.config import DisplayConfig
from maskwatch_edge.display.console import Console
from maskwatch_edge.display.display import NoDisplay, open_display
from maskwatch_edge.display.framebuffer import FakeFramebuffer
from maskwatch_edge.display.screen import NIGHT
from maskwatch_edge.display.screen_info import ScreenInfo
from maskwatch_edge.display.terminal import TextConsole
from maskwatch_edge.faults import Fault, Notice
from maskwatch_edge.guard import Guarded
from maskwatch_edge.view import Output, View

INFO = ScreenInfo(64, 48, 256, 32, (16, 8), (8, 8), (0, 8))
GONE = (
    "the framebuffer {} is not there; plug in the screen and switch it on, "
    "or give --display none; going on without the display"
)


def view(now: float) -> View:
    return View(None, (), (), (), CameraState.WAITING, 0.0, now)


def show(display: Output, start: int, end: int) -> None:
    for second in range(start, end):
        display.show(view(float(second)))


class Cable:
    """A screen that can be plugged in and pulled out, and the console that is opened on it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fake: FakeFramebuffer | None = None
        self.tries = 0

    def plug(self) -> None:
        self.fake = FakeFramebuffer(self.path, INFO)

    def pull(self) -> None:
        assert self.fake is not None
        self.fake.is_gone = True
        self.path.unlink()

    def open_console(self) -> Console:
        self.tries += 1
        return Console(self.path, self._read_info, TextConsole([]))

    def is_lit(self) -> bool:
        assert self.fake is not None
        return bool(np.all(self.fake.picture()[0, 0] == NIGHT))

    def _read_info(self, descriptor: int) -> ScreenInfo:
        assert self.fake is not None
        return self.fake(descriptor)


@pytest.fixture
def cable(tmp_path: Path) -> Cable:
    return Cable(tmp_path / "fb0")


@pytest.fixture
def warnings() -> list[Notice]:
    return []


def test_no_display_shows_nothing_and_warns_of_nothing(warnings: list[Notice]) -> None:
    display = open_display(DisplayConfig("none"), lambda: None, warnings.append)
    assert isinstance(display, NoDisplay)
    show(display, 0, 3)
    display.close()
    display.close()
    assert warnings == []


@pytest.mark.parametrize("has_file", [False, True])
def test_a_console_without_a_screen_is_told_once_and_the_service_goes_on(
    tmp_path: Path, warnings: list[Notice], has_file: bool
) -> None:
    path = tmp_path / "fb0"
    if has_file:
        path.write_bytes(b"no framebuffer")
    config = DisplayConfig("console", framebuffer=path)
    display = open_display(config, lambda: None, warnings.append)
    show(display, 0, 100)
    display.close()
    (notice,) = warnings
    assert notice.message.startswith(
        str(path) if has_file else f"the framebuffer {path} is not there"
    )
    assert notice.message.endswith("; going on without the display")
    assert "\n" not in notice.message


def test_a_window_without_pygame_is_told_once_and_the_service_goes_on(
    warnings: list[Notice], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pygame", None)
    display = open_display(DisplayConfig("window"), lambda: None, warnings.append)
    show(display, 0, 100)
    display.close()
    (notice,) = warnings
    assert "pip install 'maskwatch[display]'" in notice.message


def test_a_window_without_a_desktop_is_told_once_and_the_service_goes_on(
    warnings: list[Notice], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pygame", reason="needs pygame-ce, of the extra display")
    monkeypatch.setenv("SDL_VIDEODRIVER", "nonsense")
    display = open_display(DisplayConfig("window"), lambda: None, warnings.append)
    show(display, 0, 100)
    display.close()
    (notice,) = warnings
    assert notice.message.startswith("cannot open a window: nonsense")


def guarded(cable: Cable, warnings: list[Notice], *, is_retried: bool = True) -> Guarded:
    fault = Fault.DISPLAY_FAILED
    return Guarded("display", fault, cable.open_console, warnings.append, is_retried=is_retried)


def told(cable: Cable) -> list[Notice]:
    gone = Fault.DISPLAY_FAILED.begun(GONE.format(cable.path))
    return [gone, Fault.DISPLAY_FAILED.ended("the display is there now")]


def test_a_screen_that_is_switched_on_later_is_found(cable: Cable, warnings: list[Notice]) -> None:
    display = guarded(cable, warnings)
    show(display, 0, 10)
    tries = cable.tries
    cable.plug()
    show(display, 10, 30)
    assert cable.is_lit()
    assert warnings == told(cable)
    assert cable.tries == tries + 1
    display.close()
    display.close()
    assert not cable.is_lit()


def test_a_screen_that_is_pulled_out_and_plugged_in_again_is_told_each_time(
    cable: Cable, warnings: list[Notice]
) -> None:
    cable.plug()
    display = guarded(cable, warnings)
    show(display, 0, 5)
    for start in (100, 200):
        cable.pull()
        show(display, start, start + 60)
        cable.plug()
        show(display, start + 60, start + 100)
        assert cable.is_lit()
    display.close()
    assert warnings == told(cable) * 2


@pytest.mark.parametrize("is_retried", [False, True])
def test_a_closed_display_is_not_opened_again(cable: Cable, is_retried: bool) -> None:
    warnings: list[Notice] = []
    display = guarded(cable, warnings, is_retried=is_retried)
    display.close()
    cable.plug()
    show(display, 0, 100)
    assert cable.tries == 1
