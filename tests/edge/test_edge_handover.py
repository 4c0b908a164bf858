"""Where frames are left and taken: whatever the order of events, none comes twice or too late."""

from __future__ import annotations

from threading import Event, Thread

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from maskwatch_edge.cameras.handover import Handover
from maskwatch_edge.cameras.state import CameraState
from maskwatch_edge.frame import Frame


def frame(number: int = 0) -> Frame:
    return Frame(np.zeros((2, 2, 3), dtype=np.uint8), number, float(number), "test")


class Giving(RuleBasedStateMachine):
    """Gives, takes and loses in any order, and remembers what must come of it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.handover = Handover(lambda: self.now)
        self.over = Event()
        self.given = 0
        self.newest: int | None = None
        self.taken: list[int] = []
        self.state = CameraState.WAITING
        self.since = 0.0
        self.reconnects = 0

    def enter(self, state: CameraState) -> None:
        if state is not self.state:
            self.state, self.since = state, self.now

    @rule(seconds=st.floats(0.1, 100))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def give(self) -> None:
        assert self.handover.give_newest(self.over, frame(7))
        self.newest = self.given
        self.given += 1
        self.reconnects += self.state is CameraState.LOST
        self.enter(CameraState.SEEING)

    @rule()
    def take(self) -> None:
        got = self.handover.take(0.0)
        assert (None if got is None else got.number) == self.newest
        if self.newest is not None:
            self.taken.append(self.newest)
        self.newest = None

    @rule()
    def lose(self) -> None:
        seen = self.now - self.since if self.state is CameraState.SEEING else 0.0
        assert self.handover.lose(self.over, "gone") == pytest.approx(seen)
        self.newest = None
        if self.state is CameraState.SEEING:
            self.enter(CameraState.LOST)
        assert self.handover.last_error == "gone"

    @rule()
    def replace_who_gives(self) -> None:
        old, self.over = self.over, Event()
        self.handover.dismiss(old)
        assert not self.handover.give_newest(old, frame())
        assert not self.handover.give_next(old, frame())
        assert self.handover.lose(old, "too late") == 0.0
        self.handover.fail(old, ValueError("too late"))
        self.handover.end(old)

    @invariant()
    def is_as_remembered(self) -> None:
        assert self.handover.state is self.state
        assert self.handover.state_since_seconds == self.since
        assert self.handover.reconnects == self.reconnects
        assert self.handover.last_error in (None, "gone")
        assert self.taken == sorted(set(self.taken))


TestGiving = Giving.TestCase
TestGiving.settings = settings(max_examples=50, stateful_step_count=30)


def test_the_next_frame_is_left_only_when_the_one_before_was_taken() -> None:
    handover, over = Handover(lambda: 0.0), Event()
    assert handover.give_next(over, frame(5))

    def give_the_last() -> None:
        handover.give_next(over, frame(6))
        handover.end(over)

    thread = Thread(target=give_the_last)
    thread.start()
    numbers = []
    while handover.state is not CameraState.ENDED:
        if got := handover.take(60.0):
            numbers.append(got.number)
    thread.join(timeout=60)
    assert numbers == [5, 6]


def test_who_waits_for_its_frame_to_be_taken_is_freed_when_its_time_is_over() -> None:
    handover, over = Handover(lambda: 0.0), Event()
    handover.give_next(over, frame())
    went_on: list[bool] = []
    thread = Thread(target=lambda: went_on.append(handover.give_next(over, frame())))
    thread.start()
    handover.dismiss(over)
    thread.join(timeout=60)
    assert went_on == [False]


def test_an_error_comes_out_each_time_until_closed() -> None:
    handover = Handover(lambda: 0.0)
    handover.fail(Event(), ValueError("a mistake"))
    for _ in range(2):
        with pytest.raises(ValueError, match="a mistake"):
            handover.take(60.0)
    handover.close()
    assert handover.take(60.0) is None
