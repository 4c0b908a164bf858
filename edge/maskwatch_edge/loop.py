"""The loop: frame source, watcher, sinks."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from threading import Event
from types import FrameType
from typing import Protocol

from .cameras.sources import FrameSource
from .pipeline import Watcher
from .sinks import Sink

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def watch(source: FrameSource, watcher: Watcher, sinks: Sequence[Sink], stop: Event) -> None:
    """Pass every frame of the source through the watcher to all sinks.

    Args:
        source: Where the frames come from.
        watcher: Finds and judges the faces.
        sinks: Told of each frame, in this order; the caller closes them.
        stop: The loop ends after the frame during which this is set.
    """
    for frame in source.frames():
        sightings = watcher.look(frame)
        for sink in sinks:
            sink.show(frame, sightings)
        if stop.is_set():
            return


class Closable(Protocol):
    """Anything that must be closed."""

    def close(self) -> None:
        """Let go of what is held."""
        ...


@contextmanager
def closing_all(sinks: Sequence[Closable]) -> Iterator[None]:
    """Close all of them at the end, also those after one that fails to."""
    with ExitStack() as stack:
        for sink in sinks:
            stack.callback(sink.close)
        yield


@contextmanager
def stopped_by_signals() -> Iterator[Event]:
    """Give an event that Ctrl-C and SIGTERM set; a second Ctrl-C ends at once."""
    stop = Event()

    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = {number: signal.signal(number, ask_to_stop) for number in STOP_SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
