"""An output that fails is left alone for a while, and the rest goes on."""

from __future__ import annotations

import pytest

from maskwatch_edge.backoff import JITTER
from maskwatch_edge.cameras.state import CameraState
from maskwatch_edge.errors import MissingExtraError, OutputError
from maskwatch_edge.faults import Fault, Notice
from maskwatch_edge.guard import FIRST_SECONDS, LONGEST_SECONDS, Guarded
from maskwatch_edge.view import View

RETRY_SECONDS = LONGEST_SECONDS * (1 + JITTER)
"""No wait is longer."""

GONE = Fault.LAMPS_FAILED.begun("the line is gone; going on without the lamp")
BACK = Fault.LAMPS_FAILED.ended("the lamp is there now")


def view_at(seconds: float) -> View:
    return View(None, (), (), (), CameraState.SEEING, 0.0, seconds)


class Lamp:
    """An output that counts what it is shown, and fails while it is told to."""

    def __init__(self, open_error: Exception | None = None) -> None:
        self.opened = self.shown = self.closed = 0
        self.open_error = open_error
        self.show_error: Exception | None = None
        self.close_error: Exception | None = None

    def open(self) -> Lamp:
        if self.open_error is not None:
            raise self.open_error
        self.opened += 1
        return self

    def show(self, view: View) -> None:
        if self.show_error is not None:
            raise self.show_error
        self.shown += 1

    def close(self) -> None:
        self.closed += 1
        if self.close_error is not None:
            raise self.close_error


def test_an_output_that_works_is_opened_once_and_shown_everything() -> None:
    lamp, warnings = Lamp(), list[Notice]()
    guarded = Guarded("lamp", Fault.LAMPS_FAILED, lamp.open, warnings.append)
    for second in range(3):
        guarded.show(view_at(second))
    guarded.close()
    guarded.close()
    assert (lamp.opened, lamp.shown, lamp.closed, warnings) == (1, 3, 1, [])


@pytest.mark.parametrize(
    "error", [OutputError("there is no line GPIO17"), MissingExtraError("gpiod", "")]
)
def test_an_output_that_cannot_be_opened_is_told_once_and_found_later(error: Exception) -> None:
    lamp, warnings = Lamp(error), list[Notice]()
    guarded = Guarded("lamp", Fault.LAMPS_FAILED, lamp.open, warnings.append)
    for turn in range(5):
        guarded.show(view_at(turn * RETRY_SECONDS))
    assert warnings == [Fault.LAMPS_FAILED.begun(f"{error}; going on without the lamp")]
    lamp.open_error = None
    guarded.show(view_at(5 * RETRY_SECONDS))
    guarded.show(view_at(6 * RETRY_SECONDS))
    assert lamp.shown >= 1
    assert warnings[1:] == [Fault.LAMPS_FAILED.ended("the lamp is there now")]


def test_an_output_that_fails_is_closed_and_left_alone_until_the_time_has_come() -> None:
    lamp, warnings = Lamp(), list[Notice]()
    guarded = Guarded("lamp", Fault.LAMPS_FAILED, lamp.open, warnings.append)
    lamp.show_error = OutputError("the line is gone")
    guarded.show(view_at(0))
    lamp.show_error = None
    guarded.show(view_at(1))
    guarded.show(view_at(1 + 0.99 * FIRST_SECONDS))
    assert (lamp.opened, lamp.shown, lamp.closed) == (1, 0, 1)
    guarded.show(view_at(1 + RETRY_SECONDS))
    assert (lamp.opened, lamp.shown) == (2, 1)
    assert warnings == [GONE, BACK]


def test_an_output_that_opens_and_fails_at_once_is_tried_more_and_more_rarely() -> None:
    lamp, warnings = Lamp(), list[Notice]()
    guarded = Guarded("lamp", Fault.LAMPS_FAILED, lamp.open, warnings.append)
    lamp.show_error = OutputError("the line is gone")
    for tenth in range(6000):
        guarded.show(view_at(tenth / 10))
    assert 20 <= lamp.opened <= 26  # after 1, 2, 4, 8, 16 s, and then every 30 s
    assert warnings == [GONE]


def test_an_output_that_cannot_be_closed_is_told_and_let_go() -> None:
    lamp, warnings = Lamp(), list[Notice]()
    guarded = Guarded("lamp", Fault.LAMPS_FAILED, lamp.open, warnings.append)
    lamp.close_error = OutputError("the line hangs")
    guarded.close()
    guarded.close()
    assert warnings == [Fault.LAMPS_FAILED.begun("the line hangs; going on without the lamp")]
    assert lamp.closed == 1


@pytest.mark.parametrize("error", [TypeError("a bug"), OSError(28, "No space"), MemoryError()])
def test_what_nobody_foresaw_is_told_with_its_kind_and_place_and_ends_nothing(
    error: Exception,
) -> None:
    lamp, warnings = Lamp(), list[Notice]()
    guarded = Guarded("lamp", Fault.LAMPS_FAILED, lamp.open, warnings.append)
    lamp.show_error = lamp.close_error = error
    guarded.show(view_at(0))
    lamp.show_error, lamp.open_error = None, error
    guarded.show(view_at(1))
    guarded.show(view_at(1 + RETRY_SECONDS))
    (notice,) = warnings
    assert notice.message.startswith(f"{type(error).__name__} in test_edge_guard.py, line ")
    assert notice.message.endswith(f"{error}; going on without the lamp")
    lamp.open_error = lamp.close_error = None
    guarded.show(view_at(2 + RETRY_SECONDS))
    guarded.show(view_at(2 + 2 * RETRY_SECONDS))
    assert lamp.shown >= 1


def test_a_reader_of_what_is_printed_that_has_gone_ends_the_program() -> None:
    lamp = Lamp()
    guarded = Guarded("lines", Fault.LINES_FAILED, lamp.open, list[Notice]().append)
    lamp.show_error = BrokenPipeError()
    with pytest.raises(BrokenPipeError):
        guarded.show(view_at(0))
