"""The loop that runs for a year: camera, watcher, tracker, outputs, and news for systemd.

Everything that may fail for a while is a state here and not an end: a camera that is away, a lamp
that cannot be set. The watchdog is fed by turns of this loop and by nothing else.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from .annotate import WORDS
from .cameras.camera import CameraReader
from .cameras.state import CameraState
from .config import DecisionConfig
from .events import Event, EventKind
from .fault_log import warn
from .faults import Warn
from .notify import Notifier
from .pipeline import StreamWatcher
from .sight import NOTHING, Sight
from .view import Output, View

TURN_SECONDS = 0.1
"""The loop turns at least this often, so that lamps blink evenly while the camera is away."""

STATUS_SECONDS = 5.0
"""How often systemd is told how it stands if nothing happened."""

RATE_FRAMES = 30
"""Frames over which the rate is measured."""

WATCH = "watch"
"""The stage that those of a look are parts of: all that is done before the outputs are told."""


class Flag(Protocol):
    """Something that may ask the loop to end."""

    def is_set(self) -> bool:
        """Tell whether it does; asked once a turn."""
        ...


def monotonic_seconds() -> float:
    """Return the clock that the service and systemd share."""
    return time.monotonic()


class Service:
    """Watches one camera and tells the outputs, until it is asked to stop.

    Args:
        reader: Gives the newest frame.
        watcher: Finds and judges the faces.
        decision: How people are followed, and when something is claimed of them.
        outputs: Told of every view, in this order; the caller closes them.
        notifier: Tells systemd.
        clock: Monotonic seconds.
        warn: Told that looks fail, and that they work again.
        turn_seconds: A frame is waited for so long; tests pass 0.
    """

    def __init__(
        self,
        reader: CameraReader,
        watcher: StreamWatcher,
        decision: DecisionConfig,
        outputs: Sequence[Output],
        notifier: Notifier,
        clock: Callable[[], float] = monotonic_seconds,
        *,
        warn: Warn = warn,
        turn_seconds: float = TURN_SECONDS,
    ) -> None:
        self._reader = reader
        self._sight = Sight(watcher, decision, warn)
        self._stale_seconds = decision.stale_seconds
        self._outputs = outputs
        self._notifier = notifier
        self._clock, self._turn_seconds = clock, turn_seconds
        self._rate = Rate()
        self._camera: CameraState | None = None
        self._status_at = float("-inf")

    def run(self, *asked: Flag) -> None:
        """Turn until one of the flags is set, or the file that is watched has ended."""
        while not any(flag.is_set() for flag in asked) and self._camera is not CameraState.ENDED:
            self.turn()

    def turn(self) -> View:
        """Take one frame, or notice that there is none, and tell everybody."""
        frame = self._reader.newest(self._turn_seconds)
        camera = self._reader.state
        events = self._camera_events(camera)
        began_seconds = self._clock()
        if frame is not None:
            self._rate.add(began_seconds)
            events += self._sight.see(frame, began_seconds)
        elif camera is not CameraState.SEEING:
            self._rate.clear()
            events += self._sight.lose(began_seconds, is_over=camera is CameraState.ENDED)
        now_seconds = self._clock()
        events += self._sight.expire(now_seconds)
        look = NOTHING if frame is None else self._sight.look
        view = View(
            frame=frame,
            sightings=look.sightings,
            tracks=self._sight.tracks,
            events=tuple(events),
            camera=camera,
            frames_per_second=self._rate.value,
            time_seconds=now_seconds,
            stage_seconds={**look.stage_seconds, WATCH: now_seconds - began_seconds},
            age_seconds=self._sight.age_seconds(now_seconds),
        )
        self._show(view)
        self._tell_systemd(view)
        return view

    def _show(self, view: View) -> None:
        for output in self._outputs:
            # The output before may have taken long.
            age_seconds = view.age_seconds + self._clock() - view.time_seconds
            is_old = age_seconds > self._stale_seconds
            output.show(view.without_people() if is_old else view)

    def _camera_events(self, state: CameraState) -> list[Event]:
        before, self._camera = self._camera, state
        if state is before:
            return []
        return [Event(EventKind.CAMERA, self._clock(), camera=state.value)]

    def _tell_systemd(self, view: View) -> None:
        self._notifier.feed_watchdog()
        if view.events or view.time_seconds - self._status_at >= STATUS_SECONDS:
            self._status_at = view.time_seconds
            self._notifier.status(describe(view))


class Rate:
    """Frames per second over the last frames."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=RATE_FRAMES)

    def add(self, now_seconds: float) -> None:
        """Count a frame."""
        self._times.append(now_seconds)

    def clear(self) -> None:
        """Forget what was: the camera is away."""
        self._times.clear()

    @property
    def value(self) -> float:
        """Frames per second; 0 before the second frame."""
        if len(self._times) < 2 or self._times[-1] <= self._times[0]:
            return 0.0
        return (len(self._times) - 1) / (self._times[-1] - self._times[0])


def describe(view: View) -> str:
    """Say in one line how it stands, such as "camera seeing, 12.5 fps, 1 mask, 1 no mask"."""
    counts = sorted(view.count_people().items())
    people = [f"{count} {WORDS[decision]}" for decision, count in counts]
    parts = [f"camera {view.camera.value}", f"{view.frames_per_second:.1f} fps"]
    nobody = "blind" if view.is_blind else "nobody"
    return ", ".join([*parts, *(people or [nobody])])
