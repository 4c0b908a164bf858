"""What `maskwatch run` prints: a readable line, or a JSON object, for what happens."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

from .annotate import WORDS
from .closing import Closing
from .events import Event, EventKind
from .sinks import to_dict
from .verdict import Decision
from .view import Output, View


def wall_clock() -> datetime:
    """Return the time of day; a board without a battery clock may be years wrong at its start."""
    return datetime.now(UTC)


class TextEvents(Closing):
    """A readable line on stdout for every event; systemd's journal adds the time.

    Why a camera is away is told as a fault, on stderr or in the journal.
    """

    def show(self, view: View) -> None:
        """Print what happened."""
        for event in view.events:
            _print(describe(event))


class JsonEvents(Closing):
    """A JSON object on stdout for every event, with the time of day beside it.

    Args:
        clock: The time of day.
    """

    def __init__(self, clock: Callable[[], datetime] = wall_clock) -> None:
        self._clock = clock

    def show(self, view: View) -> None:
        """Print what happened."""
        for event in view.events:
            time = self._clock().isoformat(timespec="milliseconds")
            _print(json.dumps({"time": time, **event.to_dict()}))


class JsonFrames(Closing):
    """A JSON object on stdout for every frame, as `detect --jsonl` prints it."""

    def show(self, view: View) -> None:
        """Print the frame if there is one."""
        if view.frame is not None:
            _print(json.dumps(to_dict(view.frame, view.sightings)))


class NoEvents(Closing):
    """Prints nothing."""

    def show(self, view: View) -> None:
        """Leave it."""


def describe(event: Event) -> str:
    """Say an event in words, such as "person 3 changed: mask, was no mask"."""
    if event.kind is EventKind.CAMERA:
        return f"camera {event.camera}"
    text = f"person {event.track} {event.kind.value}: {_words(event.decision)}"
    if event.before is not None:
        text += f", was {_words(event.before)}"
    if event.seconds is not None:
        text += f", seen for {event.seconds:.1f} s"
    return text


def _words(decision: Decision | None) -> str:
    return "nothing" if decision is None else WORDS[decision]


def open_lines(kind: str) -> Output:
    """Open what `output.lines` of the configuration names."""
    if kind == "text":
        return TextEvents()
    if kind == "events":
        return JsonEvents()
    return JsonFrames() if kind == "frames" else NoEvents()


def _print(line: str) -> None:
    print(line, flush=True)  # noqa: T201
