"""The real service before a door, on a clock that only moves when it is told to.

Camera, lamps, finder, outputs, disk and the clock on the wall can be broken; systemd is played,
too: its watchdog ends a program that hangs, and it starts one afresh that has ended.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from maskwatch_edge.cameras.camera import CameraReader
from maskwatch_edge.cameras.fake_camera import FakeCamera
from maskwatch_edge.cameras.state import CameraState
from maskwatch_edge.closing import Closing
from maskwatch_edge.config import (
    CameraConfig,
    DecisionConfig,
    IndicatorConfig,
    LampConfig,
    Thresholds,
)
from maskwatch_edge.errors import LookError, OutputError
from maskwatch_edge.faults import Fault, Notice
from maskwatch_edge.finders import FaceFinder
from maskwatch_edge.frame import Pixels
from maskwatch_edge.guard import Guarded
from maskwatch_edge.lamps.gpio import FakeBoard, Line
from maskwatch_edge.lamps.indicator import Indicator
from maskwatch_edge.loop import closing_all
from maskwatch_edge.notify import Notifier
from maskwatch_edge.pipeline import StreamWatcher
from maskwatch_edge.recall import Judge
from maskwatch_edge.service import Service
from maskwatch_edge.statistics.recorder import Recorder
from maskwatch_edge.verdict import Decision
from maskwatch_edge.view import Output, View

from .lockstep import LockstepClock
from .parts import (
    GREY,
    ColourJudge,
    Ledger,
    MiddleFinder,
    Sink,
    Trouble,
    TroubledFinder,
    TroubledJudge,
    TroubledStore,
    Witness,
)

SIZE_WH = (64, 48)
CAMERA = CameraConfig(source="/dev/fake")
DECISION = DecisionConfig()
LAMPS = IndicatorConfig(
    lamps=tuple(
        LampConfig(line=line, role=role, min_on_seconds=60.0)
        for line, role in (("GPIO17", "alert"), ("GPIO27", "clear"), ("GPIO22", "alive"))
    )
)
ALERT, CLEAR, ALIVE = (lamp.line for lamp in LAMPS.lamps)

STEP_SECONDS, TICK_SECONDS = 0.5, 0.5
"""Between two turns, and between two looks at the lamps while a turn hangs."""

WATCHDOG_SECONDS, RESTART_SECONDS = 30.0, 5.0
"""As in systemd/maskwatch.service."""

NEW_YEAR_2026 = 1_767_225_600.0
PATIENCE_SECONDS = 60.0
COLOURS = {Decision.MASK: (60, 200, 60), Decision.NO_MASK: (255, 0, 0), None: (GREY,) * 3}


class WatchdogStruck(BaseException):
    """systemd ended the program; not an error that a program could take care of."""


class NotSurvivedError(BaseException):
    """Something was said or shown that must not be; the program cannot catch it by mistake."""


class World(Closing):
    """A service, and all that is around it.

    Args:
        folder: Where the statistics are kept; None for none.
        finder: Finds the faces.
        judge: Judges them.
        open_more: Opens further outputs.
        period_seconds: Between two pictures of the camera.

    Attributes:
        view: What the outputs were told last.
        restarts: How often systemd started the program afresh.
    """

    def __init__(
        self,
        folder: Path | None,
        finder: FaceFinder | None = None,
        judge: Judge | None = None,
        open_more: Callable[[], Sequence[Output]] = tuple,
        period_seconds: float = STEP_SECONDS,
    ) -> None:
        self.clock = LockstepClock()
        self.camera = FakeCamera(*SIZE_WH, period_seconds=None, clock=self.clock)
        self.finding, self.judging = Trouble(self.pass_time), Trouble(self.pass_time)
        self.opening, self.showing = Trouble(self.pass_time), Trouble(self.pass_time)
        self.closing, self.disk = Trouble(self.pass_time), Trouble(self.pass_time)
        self.finder = TroubledFinder(finder or MiddleFinder(), self.finding, self.clock)
        self._judge = TroubledJudge(judge or ColourJudge(), self.judging)
        self._open_more = open_more
        self.board = FakeBoard(clock=self.clock)
        self.is_chip_plugged = True
        self.wall_ahead_seconds = NEW_YEAR_2026
        self.period_seconds = self._shot_seconds = period_seconds
        self.ledger = Ledger(self.wall_seconds)
        self.file = folder and folder / "statistics.db"
        self.restarts = 0
        self._next_shot = self._fed_seconds = self.clock()
        self._other_threads = frozenset(_camera_threads())
        self.show_somebody(None)
        self._start()

    def wall_seconds(self) -> float:
        """Return the time of day, as the board believes it to be."""
        return self.clock() + self.wall_ahead_seconds

    def show_somebody(self, expected: Decision | None) -> None:
        """Let somebody stand before the camera, with a mask or without, or nobody."""
        self.expected = expected
        self.camera.show(scene(expected))

    def live(self, seconds: float, step_seconds: float = STEP_SECONDS) -> None:
        """Let time pass, and the service turn."""
        until = self.clock() + seconds
        while self.clock() < until:
            self.turn(step_seconds)

    def turn(self, step_seconds: float = STEP_SECONDS) -> None:
        """Let a step of time pass, and the service turn once."""
        try:
            self.pass_time(step_seconds, step_seconds)
            self.view = self._service.turn()
            self._fed_seconds = self.clock()
            self._settle()
        except (LookError, WatchdogStruck):
            self._restart()
            return
        self._check_lamps(0.0)

    def pass_time(self, seconds: float, tick_seconds: float = TICK_SECONDS) -> None:
        """Let time pass for all but the loop: camera, lamps, watchdog."""
        until = self.clock() + seconds
        while (left := until - self.clock()) > 0:
            self.clock.advance(min(left, tick_seconds))
            if self.clock() >= self._next_shot:
                self._next_shot = self.clock() + self._shot_seconds
                self.camera.shoot()
            self._settle()
            with suppress(Exception):  # as the lamps' own thread does
                self._indicator.tick()
            self._check_lamps(tick_seconds)
            if self.clock() - self._fed_seconds > WATCHDOG_SECONDS:
                raise WatchdogStruck

    def shoot_every(self, seconds: float) -> None:
        """Let the camera take a picture so often, the next one at once."""
        self._shot_seconds, self._next_shot = seconds, self.clock()

    def recover(self, most_seconds: float) -> float:
        """Let the service turn until all is well again, and return how long that took.

        Raises:
            NotSurvivedError: If it takes longer than it may.
        """
        began_seconds = self.clock()
        self.turn()
        while not self.is_well:
            if self.clock() - began_seconds > most_seconds:
                raise NotSurvivedError(f"not well {most_seconds:g} s after it was over")
            self.turn()
        return self.clock() - began_seconds

    @property
    def is_well(self) -> bool:
        """Whether the service sees, is right, shows it by its lamps, and tells its output."""
        said = [track.decision for track in self.view.tracks]
        wanted = [] if self.expected is None else [self.expected]
        lit = {ALIVE, *((ALERT,) if self.expected is Decision.NO_MASK else ())}
        return (
            self.view.camera is CameraState.SEEING
            and said == wanted
            and self._sink.shown_seconds == self.view.time_seconds
            and self._lit() >= lit
        )

    def open_line(self, line: str, *, chip: str | None = None, active_low: bool = False) -> Line:
        """Take hold of a line, if the chip is there."""
        if not self.is_chip_plugged:
            raise OutputError(f"there is no line {line}")
        return self.board(line, chip=chip, active_low=active_low)

    def plug_chip(self, is_plugged: bool) -> None:
        """Pull the chip of the lamps out, or put it in."""
        self.is_chip_plugged = is_plugged
        for lamp in LAMPS.lamps:
            line = self.board[lamp.line]
            if not is_plugged and line.is_open:
                line.set(False)  # its supply is gone
            line.is_plugged = is_plugged

    def close(self) -> None:
        """End the program; may be called twice."""
        self.camera.recover()
        self.camera.pull()
        self._end()

    def _start(self) -> None:
        self._reader = CameraReader(
            CAMERA,
            self.camera.open,
            self.clock,
            wait=self.clock.rest,
            is_plugged=lambda name: self.camera.is_plugged,
            warn=self._hear,
        )
        watcher = StreamWatcher(
            self.finder, self._judge, Thresholds(), look_seconds=0.1, still_seconds=2.0
        )
        self._outputs: list[Output] = [
            Guarded("lamps", Fault.LAMPS_FAILED, self._open_indicator, self._hear),
            Guarded("sink", Fault.PAGE_FAILED, self._open_sink, self._hear),
            self.ledger,
            *self._open_more(),
        ]
        if self.file is not None:
            failure = Fault.STATISTICS_UNWRITABLE
            self._outputs.append(Guarded("counts", failure, self._open_recorder, self._hear))
        self._outputs.append(Witness(self._check_view))
        self._service = Service(
            self._reader,
            watcher,
            DECISION,
            self._outputs,
            Notifier(None),
            self.clock,
            warn=self._hear,
            turn_seconds=0.0,
        )
        self._fed_seconds = self.clock()

    def _restart(self) -> None:
        """Do as systemd does; the lamps are switched off by its ExecStopPost."""
        self.restarts += 1
        self._end()
        self.ledger.begin_anew()
        self._fed_seconds = self.clock()
        self.pass_time(RESTART_SECONDS)
        self._start()

    def _end(self) -> None:
        with closing_all([self._reader, *self._outputs]):
            self._settle()

    def _open_indicator(self) -> Indicator:
        self._indicator = Indicator(
            LAMPS,
            self.open_line,
            clock=self.clock,
            stale_seconds=DECISION.stale_seconds,
            has_thread=False,
        )
        return self._indicator

    def _open_sink(self) -> Sink:
        self._sink = Sink(self.opening, self.showing, self.closing)
        return self._sink

    def _open_recorder(self) -> Recorder:
        return Recorder(self._open_store, self._hear, self.wall_seconds)

    def _open_store(self) -> TroubledStore:
        assert self.file is not None
        return TroubledStore(self.file, self.disk)

    def _hear(self, notice: Notice) -> None:
        if "\n" in notice.message:
            raise NotSurvivedError(f"a notice of more than one line: {notice.message}")

    def _settle(self) -> None:
        """Wait until every thread that reads the camera waits for something that is up to us."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.camera.awaited + self.camera.hung + self.clock.resting < self._readers():
            if time.monotonic() > deadline:
                raise NotSurvivedError("a thread that reads the camera does not come to rest")
            time.sleep(0)

    def _readers(self) -> int:
        return sum(thread not in self._other_threads for thread in _camera_threads())

    def _check_view(self, view: View) -> None:
        age_seconds = self.clock() - self.finder.looked_seconds
        if (view.tracks or view.sightings) and age_seconds > DECISION.stale_seconds:
            raise NotSurvivedError(f"people were shown {age_seconds:.1f} s after the last look")
        if view.camera is not CameraState.SEEING and view.tracks:
            raise NotSurvivedError(f"people were shown although the camera is {view.camera}")

    def _check_lamps(self, tick_seconds: float) -> None:
        if not self.is_chip_plugged:
            return  # without supply no lamp is lit
        age_seconds = self.clock() - self.finder.looked_seconds
        if self._lit() and age_seconds > DECISION.stale_seconds + tick_seconds:
            raise NotSurvivedError(f"lamps were lit {age_seconds:.1f} s after the last look")

    def _lit(self) -> set[str]:
        return {lamp.line for lamp in LAMPS.lamps if self.board[lamp.line].level}


def scene(somebody: Decision | None) -> Pixels:
    """Paint a face of the colour that the judge goes by, or an empty room."""
    width, height = SIZE_WH
    pixels = np.full((height, width, 3), GREY, dtype=np.uint8)
    pixels[height // 4 : height, width // 4 : width] = COLOURS[somebody]
    return pixels


def _camera_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "camera"]
