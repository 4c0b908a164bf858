"""What the lamps are shown in their tests, and the clock that they go by."""

from __future__ import annotations

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.cameras.state import CameraState
from maskwatch_edge.config import IndicatorConfig, LampConfig
from maskwatch_edge.contract import WITH_MASK
from maskwatch_edge.tracks import Track
from maskwatch_edge.verdict import Decision, Sighting, Verdict
from maskwatch_edge.view import View

MASK, NO_MASK, UNSURE = Decision.MASK, Decision.NO_MASK, Decision.UNSURE
SEEING, WAITING, LOST = CameraState.SEEING, CameraState.WAITING, CameraState.LOST

ALERT = LampConfig(line="GPIO17", role="alert", min_on_seconds=2.0)
CLEAR = LampConfig(line="GPIO27", role="clear", min_on_seconds=1.0)
ALIVE = LampConfig(line="GPIO22", role="alive", min_on_seconds=1.0)
ALL = IndicatorConfig(lamps=(ALERT, CLEAR, ALIVE))


class Clock:
    """Shows the time that it is set to."""

    def __init__(self, seconds: float = 100.0) -> None:
        self.seconds = seconds

    def __call__(self) -> float:
        return self.seconds


def seen(*decisions: Decision, camera: CameraState = SEEING) -> View:
    """Return a view of so many people; its own time is not what the lamps go by."""
    box = FaceBox(10, 10, 50, 50)
    tracks = tuple(
        Track(
            id=number,
            box=box,
            decision=decision,
            sighting=Sighting(box, Verdict(WITH_MASK, 0.9), decision),
            first_seconds=0.0,
            last_seconds=0.0,
        )
        for number, decision in enumerate(decisions, start=1)
    )
    return View(
        frame=None,
        sightings=(),
        tracks=tracks,
        events=(),
        camera=camera,
        frames_per_second=10.0,
        time_seconds=0.0,
    )
