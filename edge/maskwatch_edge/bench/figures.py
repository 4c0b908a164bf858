"""What a measurement comes to: the numbers of `maskwatch bench`, for people and for programs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, median
from typing import Any

from maskwatch_edge.pipeline import FIND, JUDGE

from .stopwatch import TELL
from .turns import REST, TURN, Run

STAGES = {
    FIND: "find the faces",
    JUDGE: "judge them",
    TELL: "lines and display",
    REST: "all else",
    TURN: "a whole turn",
}
"""The stages that are told, in this order, and what they are in words."""


@dataclass(frozen=True)
class Spread:
    """How long something takes.

    Attributes:
        median_ms: Half of the times were shorter.
        p99_ms: 99 of 100 were not longer.
    """

    median_ms: float
    p99_ms: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Spread:
        """Take the figures of at least one time."""
        ranked = sorted(seconds)
        last = ranked[math.ceil(0.99 * len(ranked)) - 1]
        return cls(1000 * median(ranked), 1000 * last)


@dataclass(frozen=True)
class Stage(Spread):
    """How long a stage takes.

    Attributes:
        mean_ms: The time of all calls together, shared out among all frames.
        frames: In so many frames the stage was entered.
    """

    mean_ms: float
    frames: int


@dataclass(frozen=True)
class Pace:
    """How fast it went.

    Attributes:
        frames: That were measured.
        faces_per_frame: On average.
        frames_per_second: Waiting for frames included.
        latency: From the frame to the moment when all outputs were told.
        cpu_seconds_per_frame: Of all threads and cores.
        stages: By name; those of `STAGES` that were entered.
    """

    frames: int
    faces_per_frame: float
    frames_per_second: float
    latency: Spread
    cpu_seconds_per_frame: float
    stages: Mapping[str, Stage]


def pace_of(run: Run) -> Pace:
    """Sum up a run."""
    count = len(run.turns)
    return Pace(
        frames=count,
        faces_per_frame=fmean(turn.faces for turn in run.turns),
        frames_per_second=count / run.wall_seconds,
        latency=Spread.of([turn.latency_seconds for turn in run.turns]),
        cpu_seconds_per_frame=run.cpu_seconds / count,
        stages={name: stage for name in STAGES if (stage := _stage(run, name))},
    )


def _stage(run: Run, name: str) -> Stage | None:
    seconds = [turn.seconds[name] for turn in run.turns if name in turn.seconds]
    if not seconds:
        return None
    spread = Spread.of(seconds)
    mean_ms = 1000 * sum(seconds) / len(run.turns)
    return Stage(spread.median_ms, spread.p99_ms, mean_ms, len(seconds))


@dataclass(frozen=True)
class Figures:
    """All that `maskwatch bench` tells; None stands for what this machine does not tell.

    Attributes:
        maskwatch: The version.
        machine: The board or computer.
        interpreter: The package that runs the models, its version and threads.
        finder: What finds the faces.
        model: The file of the mask model.
        source: Where the frames came from.
        width: Of the first frame, pixels.
        height: Of the first frame, pixels.
        rate: Frames a second at which they were offered; None for a camera, and for a file that
            was shown as fast as possible.
        pace: How fast it went.
        start_up_seconds: From the start of the program to its first verdict.
        peak_rss_mb: Of the program without a display, in MB of 1,000,000 bytes.
        celsius_before: Heat of the board before.
        celsius_after: Heat of the board after.
        throttled: What slows the board down, in words; empty if nothing does.
    """

    maskwatch: str
    machine: str
    interpreter: str
    finder: str
    model: str
    source: str
    width: int
    height: int
    rate: float | None
    pace: Pace
    start_up_seconds: float
    peak_rss_mb: float | None
    celsius_before: float | None
    celsius_after: float | None
    throttled: Sequence[str] | None

    def to_dict(self) -> dict[str, Any]:
        """Return all of it, ready for JSON."""
        return asdict(self)


def to_text(figures: Figures) -> str:
    """Lay the figures out for people."""
    return "\n".join([*_about(figures), "", *_stages(figures.pace), "", *_results(figures)])


def _about(figures: Figures) -> list[str]:
    offered = "" if figures.rate is None else f", offered {figures.rate:g} times a second"
    return [
        _line("maskwatch", figures.maskwatch),
        _line("machine", figures.machine),
        _line("interpreter", figures.interpreter),
        _line("finder", figures.finder),
        _line("model", figures.model),
        _line("source", f"{figures.source}, {figures.width}x{figures.height}{offered}"),
        _line("measured", f"{figures.pace.frames} frames"),
        _line("faces a frame", f"{figures.pace.faces_per_frame:.1f}"),
    ]


def _stages(pace: Pace) -> list[str]:
    head = f"{'ms':20}{'median':>9}{'99 %':>9}{'a frame':>9}{'frames':>9}"
    return [head, *(_row(STAGES[name], stage) for name, stage in pace.stages.items())]


def _results(figures: Figures) -> list[str]:
    pace = figures.pace
    return [
        _line("frames per second", f"{pace.frames_per_second:.1f}"),
        _line("latency", f"{pace.latency.median_ms:.1f} ms, 99 % {pace.latency.p99_ms:.1f} ms"),
        _line("CPU a frame", f"{1000 * pace.cpu_seconds_per_frame:.1f} ms"),
        _line("start to verdict", f"{figures.start_up_seconds:.2f} s"),
        _line("peak memory", _told(figures.peak_rss_mb, "MB")),
        _line("heat before", _told(figures.celsius_before, "°C")),
        _line("heat after", _told(figures.celsius_after, "°C")),
        _line("slowed down", _slowed(figures.throttled)),
    ]


def _row(name: str, stage: Stage) -> str:
    times = (stage.median_ms, stage.p99_ms, stage.mean_ms)
    return f"{name:20}{''.join(f'{time:9.2f}' for time in times)}{stage.frames:9}"


def _line(name: str, value: str) -> str:
    return f"{name:20}{value}"


def _told(value: float | None, unit: str) -> str:
    return "not told by this machine" if value is None else f"{value:.0f} {unit}"


def _slowed(words: Sequence[str] | None) -> str:
    if words is None:
        return "not told by this machine"
    return ", ".join(words) or "no"
