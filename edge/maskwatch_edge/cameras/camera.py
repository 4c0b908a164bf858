"""The camera, kept alive: one thread reads, the newest frame wins, a lost camera is retried."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event, Thread

from maskwatch_edge.closing import Closing
from maskwatch_edge.config import CameraConfig
from maskwatch_edge.fault_log import warn
from maskwatch_edge.faults import Fault, Warn
from maskwatch_edge.frame import Frame

from .addresses import is_plugged, without_password
from .handover import Handover
from .reading import Reading, Turn
from .sources import FrameSource, open_camera
from .state import CameraState

HUNG_SECONDS = 6.0
"""A call that takes so much longer than it may is given up; OpenCV gives up a V4L2 camera itself
after ten seconds, which is better as it frees the device."""

MOST_HUNG = 4
"""No more threads than this are left behind, each in a call that does not return."""

CLOSE_SECONDS = 3.0
"""How long the reader's thread may take to end."""


class CameraReader(Closing):
    """Reads a camera in a thread of its own, for as long as it takes.

    Of a camera or stream the newest frame is handed over, each at most once, numbered through all
    reconnections; of a file or folder every frame, in order. A camera is lost when it says so,
    when `stall_seconds` pass without a frame, and when it gives the very same picture for so long.
    It is then opened again and again, after waits that double from `retry_first_seconds` to
    `retry_longest_seconds`, and at once when its device file comes back. A camera that is not
    there at the start is waited for in the same way.

    A call into a driver may never return. Its thread cannot be ended, so it is left behind, and
    another takes over. `newest` sees to that, and must be called now and then.

    Args:
        config: The camera, and how patient to be with it.
        open_source: Opens it.
        clock: Monotonic seconds.
        wait: Waits for an event at most so many seconds; tests pass one that only moves the clock.
        is_plugged: Tells whether the device file of a source's name is there.
        warn: Told when the camera is away or back, and of each thread that is left behind.
    """

    def __init__(
        self,
        config: CameraConfig,
        open_source: Callable[[CameraConfig], FrameSource] = open_camera,
        clock: Callable[[], float] = time.monotonic,
        *,
        wait: Callable[[Event, float], object] = Event.wait,
        is_plugged: Callable[[str], bool] = is_plugged,
        warn: Warn = warn,
    ) -> None:
        self._name = without_password(config.source)
        self._clock, self._warn = clock, warn
        self._handover = Handover(clock)
        self._reading = Reading(config, open_source, self._handover, clock, wait, is_plugged)
        self._hung: list[Thread] = []
        self._is_away = False
        self._begin_turn(is_first=True)

    @property
    def state(self) -> CameraState:
        """What the reader is doing."""
        return self._handover.state

    @property
    def state_since_seconds(self) -> float:
        """When that began, on the reader's clock."""
        return self._handover.state_since_seconds

    @property
    def reconnects(self) -> int:
        """How often a lost camera came back."""
        return self._handover.reconnects

    @property
    def last_error(self) -> str | None:
        """Why the camera was lost or could not be opened the last time; None if it never was."""
        return self._handover.last_error

    @property
    def hung(self) -> int:
        """How many threads are left behind in calls that have not returned yet."""
        self._hung = [thread for thread in self._hung if thread.is_alive()]
        return len(self._hung)

    def newest(self, timeout_seconds: float) -> Frame | None:
        """Return the newest frame that was not returned yet, and wait for one if there is none.

        Returns:
            None if none comes in time; at once if none ever will, as after the end of a file.

        Raises:
            SourceError: If a file or folder cannot be read; cameras are waited for instead.
            MissingExtraError: If the camera needs a package that is not installed.
        """
        self._look_after_thread()
        frame = self._handover.take(timeout_seconds)
        if frame is None:
            self._look_after_thread()
        self._tell_if_away()
        return frame

    def close(self) -> None:
        """End the thread and let go of the camera; may be called twice."""
        self._handover.close()
        self._handover.dismiss(self._turn.over)
        self._thread.join(CLOSE_SECONDS)
        if self._thread.is_alive() and self._thread not in self._hung:
            self._hung.append(self._thread)
            told = f"camera {self._name}: the thread that reads it does not end; left behind"
            self._warn(Fault.CAMERA_STUCK.once(told))

    def _begin_turn(self, *, is_first: bool) -> None:
        self._turn = Turn(self._clock())
        self._thread = Thread(
            target=self._reading.run,
            args=(self._turn,),
            kwargs={"is_first": is_first},
            name="camera",
            daemon=True,  # one that hangs must not keep the program from ending
        )
        self._thread.start()

    def _look_after_thread(self) -> None:
        turn, overdue_seconds = self._turn, self._turn.overdue_seconds(self._clock())
        if self.state is CameraState.ENDED:
            return
        if overdue_seconds >= 0 and not turn.over.is_set():
            self._reading.lose(
                turn, f"camera {self._name} does not answer; check the camera and cable"
            )
        if overdue_seconds >= HUNG_SECONDS and not turn.over.is_set():
            self._leave_behind()
        if turn.over.is_set() and self.hung < MOST_HUNG:
            self._begin_turn(is_first=False)

    def _tell_if_away(self) -> None:
        """Tell once that there are no pictures, and why; and once that there are."""
        is_awaited = self.state in (CameraState.WAITING, CameraState.LOST)
        was_away, self._is_away = self._is_away, is_awaited and self.last_error is not None
        if self._is_away and not was_away:
            self._warn(Fault.CAMERA_LOST.begun(f"no pictures from the camera: {self.last_error}"))
        elif was_away and not self._is_away:
            self._warn(Fault.CAMERA_LOST.ended("pictures come from the camera"))

    def _leave_behind(self) -> None:
        self._handover.dismiss(self._turn.over)
        self._hung.append(self._thread)
        then = "opened anew" if self.hung < MOST_HUNG else "left alone until one of them returns"
        told = (
            f"camera {self._name}: a call to its driver does not return, so its thread is left "
            f"behind ({self.hung} of at most {MOST_HUNG}) and the camera is {then}"
        )
        self._warn(Fault.CAMERA_STUCK.once(told))
