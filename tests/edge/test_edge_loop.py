"""The loop that passes frames from a source through the watcher to the sinks."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from threading import Event

import numpy as np
import pytest

from maskwatch_edge.frame import Frame
from maskwatch_edge.loop import closing_all, stopped_by_signals, watch
from maskwatch_edge.pipeline import Watcher
from maskwatch_edge.verdict import Decision, Sighting


class PaintedSource:
    """Gives as many frames as it is told, frame N with N green faces, and counts those taken."""

    is_live = False

    def __init__(self, length: int) -> None:
        self._length = length
        self.taken = 0

    def frames(self) -> Iterator[Frame]:
        for number in range(self._length):
            self.taken += 1
            pixels = np.full((60, 300, 3), 128, dtype=np.uint8)
            for place in range(number):
                pixels[10:50, 60 * place + 10 : 60 * place + 50] = (60, 200, 60)
            yield Frame(pixels, number, float(number), "painted", 1.0)

    def close(self) -> None:
        pass


class Notebook:
    """A sink that remembers what it was shown, and may ask to stop or fail when closed."""

    def __init__(
        self, stop: Event | None = None, stop_at: int = 0, error: Exception | None = None
    ) -> None:
        self.shown: list[tuple[int, list[Decision]]] = []
        self.closed = 0
        self._stop, self._stop_at, self._error = stop, stop_at, error

    def show(self, frame: Frame, sightings: Sequence[Sighting]) -> None:
        self.shown.append((frame.number, [sighting.decision for sighting in sightings]))
        if self._stop is not None and frame.number == self._stop_at:
            self._stop.set()

    def close(self) -> None:
        self.closed += 1
        if self._error is not None:
            raise self._error


def test_every_sink_sees_every_frame_with_what_was_seen_in_it(watcher: Watcher) -> None:
    sinks = [Notebook(), Notebook()]
    watch(PaintedSource(3), watcher, sinks, Event())
    expected = [(0, []), (1, [Decision.MASK]), (2, [Decision.MASK, Decision.MASK])]
    assert [sink.shown for sink in sinks] == [expected, expected]


@pytest.mark.parametrize(
    ("stop_at", "taken"),
    [
        (0, 1),  # the frame during which it is set is the last
        (2, 3),
        (9, 5),  # never set: the source ends
    ],
)
def test_the_stop_event_ends_the_loop_after_the_frame(
    watcher: Watcher, stop_at: int, taken: int
) -> None:
    stop = Event()
    source, before, behind = PaintedSource(5), Notebook(stop, stop_at), Notebook()
    watch(source, watcher, [before, behind], stop)
    assert source.taken == taken
    assert len(behind.shown) == taken


def test_the_loop_leaves_closing_to_its_caller(watcher: Watcher) -> None:
    sink = Notebook()
    watch(PaintedSource(1), watcher, [sink], Event())
    assert sink.closed == 0


def close(*sinks: Notebook) -> None:
    with closing_all(sinks):
        pass


def test_all_sinks_are_closed_at_the_end() -> None:
    sinks = [Notebook(), Notebook()]
    close(*sinks)
    assert [sink.closed for sink in sinks] == [1, 1]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_all_sinks_are_closed_though_one_fails_to(place: int) -> None:
    sinks = [Notebook(), Notebook(), Notebook()]
    sinks[place] = Notebook(error=OSError("the disk is full"))
    with pytest.raises(OSError, match="the disk is full"):
        close(*sinks)
    assert [sink.closed for sink in sinks] == [1, 1, 1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_asks_to_stop_and_the_handlers_are_put_back(number: signal.Signals) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with stopped_by_signals() as stop:
        assert not stop.is_set()
        os.kill(os.getpid(), number)
        assert stop.wait(timeout=5)
    after = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert after == before


def test_a_second_ctrl_c_ends_at_once() -> None:
    with stopped_by_signals() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.wait(timeout=5)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
