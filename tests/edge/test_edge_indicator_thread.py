"""The thread of the lamps: what they do while nobody calls anything."""

from __future__ import annotations

import threading
from queue import Queue
from threading import Event

import pytest

from maskwatch_edge.config import IndicatorConfig, LampConfig
from maskwatch_edge.errors import OutputError
from maskwatch_edge.lamps import indicator
from maskwatch_edge.lamps.gpio import FakeBoard, Line
from maskwatch_edge.lamps.indicator import STALE_SECONDS, Indicator
from maskwatch_edge.lamps.lamps import REFRESH_SECONDS

from .lamp_views import (
    ALERT,
    NO_MASK,
    Clock,
    seen,
)


class Wire:
    """A line that hands on what it is set to, to a test that waits for it."""

    def __init__(self) -> None:
        self.is_on = False
        self.levels: Queue[bool] = Queue()
        self.may_set, self.is_waiting = Event(), Event()
        self.may_set.set()

    def __call__(self, line: str, *, chip: str | None = None, active_low: bool = False) -> Line:
        return self

    def set(self, is_on: bool) -> None:
        if not self.may_set.is_set():
            self.is_waiting.set()
            assert self.may_set.wait(60)
        if is_on is not self.is_on:
            self.is_on = is_on
            self.levels.put(is_on)

    def close(self) -> None:
        self.set(False)


@pytest.fixture
def wire() -> Wire:
    return Wire()


def lamp_of(wire: Wire, clock: Clock, lamp: LampConfig = ALERT) -> Indicator:
    return Indicator(IndicatorConfig(lamps=(lamp,)), wire, clock=clock)


def test_a_loop_that_hangs_leaves_no_lamp_lit(wire: Wire) -> None:
    clock = Clock()
    with lamp_of(wire, clock) as lamps:
        lamps.show(seen(NO_MASK))
        assert wire.levels.get(timeout=60) is True
        clock.seconds += STALE_SECONDS + 1
        assert wire.levels.get(timeout=60) is False  # and nobody called anything


def test_a_lamp_blinks_while_the_loop_looks_at_a_picture(wire: Wire) -> None:
    clock = Clock()
    lamp = LampConfig(line="GPIO17", role="alert", blink_hz=1.0)
    with lamp_of(wire, clock, lamp) as lamps:
        lamps.show(seen(NO_MASK))
        for is_lit in (True, False, True, False):
            assert wire.levels.get(timeout=60) is is_lit
            clock.seconds += 0.5


def test_a_lamp_that_fails_between_two_views_is_told_by_the_next() -> None:
    clock = Clock()
    board = FakeBoard(clock=clock)
    with Indicator(IndicatorConfig(lamps=(ALERT,)), board, clock=clock) as lamps:
        board["GPIO17"].is_plugged = False
        clock.seconds += REFRESH_SECONDS
        with pytest.raises(OutputError, match="cannot reach"):
            lamps.show(seen())
        board["GPIO17"].is_plugged = True


def test_an_indicator_leaves_no_thread_behind(wire: Wire) -> None:
    before = threading.active_count()
    with lamp_of(wire, Clock()):
        assert threading.active_count() == before + 1
    assert threading.active_count() == before


def test_an_indicator_without_lamps_takes_views_and_needs_no_thread() -> None:
    before = threading.active_count()
    with Indicator(IndicatorConfig(), FakeBoard()) as lamps:
        lamps.show(seen(NO_MASK))
        assert threading.active_count() == before


def test_a_line_that_hangs_is_told_at_the_end(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indicator, "JOIN_SECONDS", 0.05)
    clock = Clock()
    lamps = lamp_of(wire, clock)
    lamps.show(seen(NO_MASK))
    wire.may_set.clear()
    clock.seconds += STALE_SECONDS + 1
    assert wire.is_waiting.wait(60)
    with pytest.raises(OutputError, match=r"did not end within 0\.05 s: setting a GPIO line hangs"):
        lamps.close()
    wire.may_set.set()
    lamps.close()
    assert not wire.is_on
