"""What an MQTT broker is told of the views of the service.

Nothing here knows MQTT, reads a clock by itself or waits for anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from maskwatch_edge.events import Event, EventKind
from maskwatch_edge.verdict import Decision
from maskwatch_edge.view import View

from .backlog import Entry

SCHEMA = 1
"""Version of the messages; see the files in `schemas` and docs/mqtt.md."""

STATE_SECONDS = 1.0
"""The state is told at most so often."""

STATISTICS_SECONDS = 60.0


@dataclass(frozen=True)
class Report:
    """What is to be told.

    Attributes:
        entries: Events and statistics, each of which must arrive.
        state: How it stands; None if that has not changed.
    """

    entries: tuple[Entry, ...]
    state: Mapping[str, Any] | None


class Reporter:
    """Makes reports of views, one after the other.

    Args:
        run: What tells this run of the program from others; tracks are numbered anew in each.
        clock: The time of day.
    """

    def __init__(self, run: str, clock: Callable[[], datetime]) -> None:
        self._run, self._clock = run, clock
        self._appeared = self._events = 0
        self._state: Mapping[str, Any] | None = None
        self._state_seconds = float("-inf")
        self._first_seconds: float | None = None
        self._statistics_seconds = 0.0

    def report(self, view: View) -> Report | None:
        """Return what is new in a view; None if nothing is."""
        entries = [Entry(True, self._event(event)) for event in view.events]
        self._count(view)
        if self._is_time_for_statistics(view.time_seconds):
            entries.append(Entry(False, self._statistics(view)))
        state = self._new_state(view)
        return Report(tuple(entries), state) if entries or state else None

    def _event(self, event: Event) -> Mapping[str, Any]:
        return {**self._head(), **event.to_dict()}

    def _count(self, view: View) -> None:
        self._events += len(view.events)
        self._appeared += sum(event.kind is EventKind.APPEARED for event in view.events)

    def _is_time_for_statistics(self, now_seconds: float) -> bool:
        if self._first_seconds is None:
            self._first_seconds = self._statistics_seconds = now_seconds
        is_time = now_seconds - self._statistics_seconds >= STATISTICS_SECONDS
        if is_time:
            self._statistics_seconds = now_seconds
        return is_time

    def _statistics(self, view: View) -> Mapping[str, Any]:
        return {
            **self._head(),
            "seconds": round(view.time_seconds - (self._first_seconds or 0.0), 1),
            "frames_per_second": round(view.frames_per_second, 1),
            "appeared": self._appeared,
            "events": self._events,
        }

    def _new_state(self, view: View) -> Mapping[str, Any] | None:
        if view.time_seconds - self._state_seconds < STATE_SECONDS:
            return None
        state = state_of(view)
        if state == self._state:
            return None
        self._state, self._state_seconds = state, view.time_seconds
        return {**self._head(), **state}

    def _head(self) -> Mapping[str, Any]:
        time = self._clock().isoformat(timespec="milliseconds")
        return {"schema": SCHEMA, "run": self._run, "time": time}


def state_of(view: View) -> Mapping[str, Any]:
    """Return how it stands: the camera, and how many people there are, by what is said of them."""
    counts = view.count_people()
    people = {decision.value: counts[decision] for decision in Decision}
    return {"camera": view.camera.value, "people": {**people, "all": len(view.tracks)}}
