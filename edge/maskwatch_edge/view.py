"""What the service shows after each turn of its loop, and who is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import inf, isinf
from typing import Protocol, Self

from .cameras.state import CameraState
from .events import Event
from .frame import Frame
from .tracks import Track
from .verdict import Decision, Sighting


@dataclass(frozen=True, eq=False)
class View:
    """The state of the world at one moment.

    Attributes:
        frame: The newest picture; None if none came since the view before.
        sightings: Every face in that frame, or in the last one that was looked at if that one was
            passed over; surest first, each judged by itself.
        tracks: The people who are followed; none while the camera is away.
        events: What happened since the view before.
        camera: State of the camera.
        frames_per_second: Rate at which frames come, also those passed over; 0 when none do.
        time_seconds: Monotonic clock.
        stage_seconds: What the stages of this turn took, by name: those of a `Look`, and "watch"
            for all that is done with a frame before the outputs are told.
        age_seconds: How old the oldest is of what is said here: since when nobody was looked for,
            or one of the people was not seen; infinite if nothing is known.
    """

    frame: Frame | None
    sightings: tuple[Sighting, ...]
    tracks: tuple[Track, ...]
    events: tuple[Event, ...]
    camera: CameraState
    frames_per_second: float
    time_seconds: float
    stage_seconds: Mapping[str, float] = field(default_factory=dict)
    age_seconds: float = 0.0

    @property
    def is_blind(self) -> bool:
        """Whether pictures come and nothing is known: looks fail, or take too long."""
        return self.camera is CameraState.SEEING and isinf(self.age_seconds)

    def without_people(self) -> Self:
        """Return the view with nothing said of anybody, and what happened."""
        return replace(self, sightings=(), tracks=(), age_seconds=inf)

    def count_people(self) -> Counter[Decision]:
        """Return how many people are followed, by what is said of them."""
        return Counter(track.decision for track in self.tracks)


class Output(Protocol):
    """Anything that is told of every view: lines, lamps, display."""

    def show(self, view: View) -> None:
        """Take one view; it comes about ten times a second or more, also without a frame.

        Raises:
            OutputError: If it cannot be written or shown.
        """
        ...

    def close(self) -> None:
        """Finish; may be called twice."""
        ...
