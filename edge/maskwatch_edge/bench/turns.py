"""Turning the service, and what each turn took."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from maskwatch_edge.errors import SourceError
from maskwatch_edge.pipeline import FIND, JUDGE

from .rig import Rig
from .stopwatch import TELL, WAIT

WARM_UP_FRAMES = 10
"""Not counted: the first frames touch all memory for the first time."""

PATIENCE_SECONDS = 15.0
"""A camera that gives no frame for so long is not waited for any longer."""

REST, TURN = "rest", "turn"
"""What a turn does beside the stages that are timed, and all of it but waiting."""


@dataclass(frozen=True)
class Turn:
    """One frame's way through the service.

    Attributes:
        seconds: By stage; a stage that was not entered is missing.
        faces: How many were seen.
        latency_seconds: From the frame to the moment when all outputs were told. Of a file, which
            waits until it is read, this is the turn alone.
        resolution_wh: Width and height of the frame, in pixels.
    """

    seconds: Mapping[str, float]
    faces: int
    latency_seconds: float
    resolution_wh: tuple[int, int]


@dataclass(frozen=True)
class Run:
    """What was measured.

    Attributes:
        turns: Those with a frame, after the warm-up.
        wall_seconds: What they took together, waiting included.
        cpu_seconds: Of all threads and cores in that time.
        resolution_wh: Width and height of the last frame, in pixels.
    """

    turns: tuple[Turn, ...]
    wall_seconds: float
    cpu_seconds: float
    resolution_wh: tuple[int, int]


def measure(
    rig: Rig,
    frames: int,
    *,
    is_live: bool,
    on_frame: Callable[[int], None] = lambda done: None,
    is_over: Callable[[], bool] = lambda: False,
    patience_seconds: float = PATIENCE_SECONDS,
) -> Run:
    """Turn until so many frames were seen.

    Args:
        rig: What is turned.
        frames: How many count; the warm-up comes before.
        is_live: Whether frames have the time of the clock.
        on_frame: Told how many are done.
        is_over: Asked whether to end sooner.
        patience_seconds: How long a frame is waited for.

    Raises:
        SourceError: If no frame comes any more, or none was measured.
    """
    for _ in range(WARM_UP_FRAMES):
        next_turn(rig, is_live=is_live, patience_seconds=patience_seconds)
    turns: list[Turn] = []
    began_seconds, began_cpu_seconds = time.monotonic(), time.process_time()
    while len(turns) < frames and not is_over():
        turns.append(next_turn(rig, is_live=is_live, patience_seconds=patience_seconds))
        on_frame(len(turns))
    if not turns:
        raise SourceError("it was ended before a frame was measured")
    wall_seconds = time.monotonic() - began_seconds
    cpu_seconds = time.process_time() - began_cpu_seconds
    return Run(tuple(turns), wall_seconds, cpu_seconds, turns[-1].resolution_wh)


def next_turn(rig: Rig, *, is_live: bool, patience_seconds: float) -> Turn:
    """Turn until there is a frame, and return what that turn took.

    Raises:
        SourceError: If none comes in time.
    """
    deadline_seconds = rig.stopwatch.clock() + patience_seconds
    while rig.stopwatch.clock() < deadline_seconds:
        rig.stopwatch.lap()
        began_seconds = rig.stopwatch.clock()
        view = rig.service.turn()
        ended_seconds = rig.stopwatch.clock()
        if (frame := view.frame) is not None:
            seconds = _stages(rig.stopwatch.lap(), ended_seconds - began_seconds)
            latency_seconds = ended_seconds - frame.time_seconds if is_live else seconds[TURN]
            resolution_wh = frame.width, frame.height
            return Turn(seconds, len(view.sightings), latency_seconds, resolution_wh)
    reason = rig.reader.last_error or "the camera gives no picture"
    raise SourceError(f"{reason} (waited {patience_seconds:g} s)")


def _stages(seconds: dict[str, float], whole_seconds: float) -> dict[str, float]:
    busy_seconds = whole_seconds - seconds.pop(WAIT, 0.0)
    parts_seconds = sum(seconds.get(stage, 0.0) for stage in (FIND, JUDGE, TELL))
    return {**seconds, REST: busy_seconds - parts_seconds, TURN: busy_seconds}
