"""A screen that is slow, hangs or fails, and the loop that goes on meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from maskwatch_edge.cameras.state import CameraState
from maskwatch_edge.display import drawing
from maskwatch_edge.display.drawing import Drawing
from maskwatch_edge.faults import Fault, Notice
from maskwatch_edge.view import View


def view(now: float) -> View:
    return View(None, (), (), (), CameraState.WAITING, 0.0, now)


class SlowScreen:
    """Draws a view only when it is allowed to, and notes by which thread."""

    def __init__(self) -> None:
        self.allowed = threading.Semaphore(0)
        self.began = threading.Semaphore(0)
        self.drawn: list[float] = []
        self.threads = {threading.get_ident()}
        self.closed = 0
        self.error: Exception | None = None

    def show(self, view: View) -> None:
        self.threads.add(threading.get_ident())
        self.began.release()
        assert self.allowed.acquire(timeout=30)
        if self.error:
            raise self.error
        self.drawn.append(view.time_seconds)

    def close(self) -> None:
        self.threads.add(threading.get_ident())
        self.closed += 1


class Easel:
    """A drawing with its screen at hand."""

    def __init__(self) -> None:
        self.screens: list[SlowScreen] = []
        self.warnings: list[Notice] = []
        self.drawing = Drawing(self._open, self.warnings.append)

    def _open(self) -> SlowScreen:
        self.screens.append(SlowScreen())
        return self.screens[0]

    @property
    def screen(self) -> SlowScreen:
        return self.screens[0]


@pytest.fixture
def easel() -> Iterator[Easel]:
    easel = Easel()
    yield easel
    easel.screen.allowed.release(1000)
    easel.drawing.close()


def test_a_slow_screen_gets_the_newest_view_and_the_loop_does_not_wait(easel: Easel) -> None:
    easel.drawing.show(view(0.0))
    assert easel.screen.began.acquire(timeout=30)
    for number in range(1, 100):
        easel.drawing.show(view(float(number)))
    easel.screen.allowed.release(2)
    easel.drawing.close()
    assert easel.screen.drawn == [0.0, 99.0]


def test_one_thread_opens_draws_and_closes(easel: Easel) -> None:
    easel.screen.allowed.release(10)
    easel.drawing.show(view(0.0))
    easel.drawing.close()
    easel.drawing.close()
    assert len(easel.screen.threads) == 1
    assert threading.get_ident() not in easel.screen.threads
    assert easel.screen.closed == 1
    assert easel.screen.drawn == [0.0]


def test_a_fault_comes_out_in_the_loop_and_the_screen_is_closed(easel: Easel) -> None:
    easel.screen.error = TypeError("a bug")
    easel.screen.allowed.release()
    easel.drawing.show(view(0.0))
    with pytest.raises(TypeError, match="a bug"):
        easel.drawing.close()
    assert easel.screen.closed == 1


def test_what_opening_raises_comes_out_at_once() -> None:
    def broken() -> SlowScreen:
        raise TypeError("a bug")

    with pytest.raises(TypeError, match="a bug"):
        Drawing(broken, lambda notice: None)


def test_a_driver_that_hangs_is_told_and_left_behind(
    easel: Easel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "CLOSE_SECONDS", 0.05)
    easel.drawing.show(view(0.0))
    assert easel.screen.began.acquire(timeout=30)
    easel.drawing.close()
    told = "the display: its driver does not come back from a call; left behind"
    assert easel.warnings == [Fault.DISPLAY_STUCK.once(told)]


def test_a_thousand_screens_leave_no_thread() -> None:
    before = threading.active_count()
    screen: Callable[[], SlowScreen] = SlowScreen
    for _ in range(1000):
        with Drawing(screen, lambda notice: None):
            pass
    assert threading.active_count() == before
