"""What leaves the process: something began, changed or ended."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from enum import StrEnum
from reprlib import repr as brief
from typing import Any, Self

from .errors import InputError
from .verdict import Decision


class EventKind(StrEnum):
    """What happened."""

    APPEARED = "appeared"
    CHANGED = "changed"
    LEFT = "left"
    CAMERA = "camera"


CARRIED = {
    EventKind.APPEARED: {"track", "decision"},
    EventKind.CHANGED: {"track", "decision", "before"},
    EventKind.LEFT: {"track", "decision", "seconds"},
    EventKind.CAMERA: {"camera"},
}
"""What an event of each kind says beside its kind and time: all of these, and nothing else."""


@dataclass(frozen=True)
class Event:
    """One thing that happened.

    Attributes:
        kind: What it was.
        time_seconds: When, on the clock that the frames carry, in seconds.
        track: Number of the person's track, from 1; None for the camera.
        decision: What is said of the person from now on, or was said last.
        before: What was said of the person before; only for CHANGED.
        seconds: How long the person had been seen, first to last time; only for LEFT.
        camera: The camera's new state; only for CAMERA.

    Raises:
        ValueError: If something is missing, too much or out of range for the kind.
    """

    kind: EventKind
    time_seconds: float
    track: int | None = None
    decision: Decision | None = None
    before: Decision | None = None
    seconds: float | None = None
    camera: str | None = None

    def __post_init__(self) -> None:
        said = self._said()
        expected = {"kind", "time_seconds"} | CARRIED[self.kind]
        if said.keys() != expected:
            raise ValueError(
                f"{self.kind} carries {', '.join(sorted(expected))}; received {sorted(said)}"
            )
        for name, value in said.items():
            if not _is_sane(name, value):
                raise ValueError(f"{name} = {value!r} is out of range")

    def _said(self) -> dict[str, Any]:
        pairs = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: value for name, value in pairs if value is not None}

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain texts and numbers, without what is None."""
        said = self._said()
        return {name: str(v) if isinstance(v, StrEnum) else v for name, v in said.items()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Make an event of what `to_dict` gave.

        Raises:
            InputError: If a key or value is not an event's.
        """
        try:
            given = dict(data)
            kind = EventKind(given.pop("kind"))
            for name in given.keys() & {"decision", "before"}:
                given[name] = Decision(given[name])
            return cls(kind, **given)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise InputError(f"expected an event; received {brief(data)}: {error}") from error


def _is_sane(name: str, value: Any) -> bool:
    if name == "track":
        return type(value) is int and value >= 1
    if name.endswith("seconds"):
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number and math.isfinite(value) and (name == "time_seconds" or value >= 0)
    return isinstance(value, str)
