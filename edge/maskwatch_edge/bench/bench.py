"""One measurement from its beginning to its end."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from threading import Event

from maskwatch_edge.cameras.addresses import is_camera, without_password
from maskwatch_edge.cameras.sources import FrameSource, open_camera
from maskwatch_edge.classifier import model_file
from maskwatch_edge.config import (
    CameraConfig,
    Config,
    IndicatorConfig,
    MqttConfig,
    StatisticsConfig,
    WebConfig,
)
from maskwatch_edge.config.file import LoadedConfig
from maskwatch_edge.doctor.board import (
    check_board,
    read_temperature_celsius,
    read_throttled,
    throttled_words,
)
from maskwatch_edge.doctor.model import check_interpreter
from maskwatch_edge.doctor.report import Finding
from maskwatch_edge.doctor.system import System
from maskwatch_edge.errors import InputError

from .figures import Figures, pace_of
from .replay import Replay, load_reel
from .rig import rigged
from .start_up import start_program
from .turns import WARM_UP_FRAMES, Run, measure

OnFrame = Callable[[int], None]


@dataclass(frozen=True)
class Task:
    """What is to be measured.

    Attributes:
        loaded: How Maskwatch is configured; its camera may be a file.
        frames: How many frames count.
        rate: Frames a second at which those of a file are offered; None for as fast as possible.

    Raises:
        InputError: If a rate is given for a camera, which has its own.
    """

    loaded: LoadedConfig
    frames: int
    rate: float | None = None

    def __post_init__(self) -> None:
        if self.is_camera and self.rate is not None:
            raise InputError(
                "a rate is for files; a camera is asked for one with: "
                f"--set camera.frames_per_second={self.rate:g}"
            )

    @property
    def config(self) -> Config:
        """The configuration without lamps, statistics, broker and page: nobody is to be told."""
        return replace(
            self.loaded.config,
            indicator=IndicatorConfig(),
            mqtt=MqttConfig(),
            statistics=StatisticsConfig(),
            web=WebConfig(),
        )

    @property
    def is_camera(self) -> bool:
        """Whether frames come from a camera or stream."""
        return is_camera(self.loaded.config.camera.source)


def bench(task: Task, system: System, on_frame: OnFrame = lambda done: None) -> Figures:
    """Measure.

    Args:
        task: What.
        system: The board, for its heat.
        on_frame: Told how many frames are done.

    Raises:
        SourceError: If there are no frames.
        InputError: If the finder cannot be loaded.
        ModelError: If a model is broken.
    """
    config = task.config
    celsius_before = read_temperature_celsius(system)
    run = watch(task, on_frame)
    celsius_after, flags = read_temperature_celsius(system), read_throttled(system)
    start_up = start_program(replace(task.loaded, config=config))
    width, height = run.resolution_wh
    return Figures(
        maskwatch=version("maskwatch"),
        machine=_first(check_board(system)),
        interpreter=_first(check_interpreter(config.model, model_file(config.model))),
        finder=config.faces.finder,
        model=model_file(config.model).name,
        source=without_password(config.camera.source),
        width=width,
        height=height,
        rate=task.rate,
        pace=pace_of(run),
        start_up_seconds=start_up.seconds,
        peak_rss_mb=start_up.peak_rss_mb,
        celsius_before=celsius_before,
        celsius_after=celsius_after,
        throttled=None if flags is None else throttled_words(flags),
    )


def watch(task: Task, on_frame: OnFrame = lambda done: None) -> Run:
    """Let the service watch, and return what was measured.

    What the service prints goes nowhere, but it is printed: that takes time, too.
    """
    quit_asked = Event()
    open_source = _opener(task)
    with (
        Path(os.devnull).open("w") as nowhere,
        redirect_stdout(nowhere),
        rigged(task.config, open_source, quit_asked.set) as rig,
    ):
        return measure(
            rig,
            task.frames,
            is_live=task.is_camera or task.rate is not None,
            on_frame=on_frame,
            is_over=quit_asked.is_set,
        )


def _opener(task: Task) -> Callable[[CameraConfig], FrameSource]:
    """Return what opens the camera, or shows the frames of a file again and again."""
    if task.is_camera:
        return open_camera
    reel = load_reel(task.config.camera.source, WARM_UP_FRAMES + task.frames)
    return lambda camera: Replay(reel, task.rate)


def _first(findings: Iterable[Finding]) -> str:
    return next(iter(findings)).finding
