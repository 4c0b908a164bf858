"""Lamps that tell: someone is unmasked, everyone is masked, Maskwatch sees.

What keeps a lamp from telling a lie:

- Every lamp is off while the camera gives no pictures, and after `close`, also one whose minimum
  time is not over.
- What a view says has an age already, and a loop that hangs shows no views. The indicator's own
  small thread, which also blinks, switches every lamp off once what is said is older than
  `stale_seconds`, before a watchdog ends the process.
- A process that is killed cannot switch anything off. What becomes of its lines is up to the
  kernel: most make them inputs, the Raspberry Pi's own leaves them as they are, lit. The next
  start switches them off, and so does `switch_off`, for systemd's ExecStopPost.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from maskwatch_edge.closing import Closing
from maskwatch_edge.config import IndicatorConfig
from maskwatch_edge.errors import OutputError

from .gpio import LineFactory
from .lamps import NOTHING, Lamp, claims, settle, write_all

if TYPE_CHECKING:
    from maskwatch_edge.view import View

STALE_SECONDS = 5.0
"""Longer than an honest turn of the loop takes, shorter than a watchdog waits."""

TICKS_PER_BLINK = 20
SLOWEST_TICK_SECONDS = 0.1
JOIN_SECONDS = 5.0


class Indicator(Closing):
    """All lamps; an `Output`.

    A view takes effect within `show`; blinking, minimum times and `stale_seconds` go on between
    the views, in a thread of its own. Views have to come more often than `stale_seconds`.

    Args:
        config: The lamps.
        open_line: Opens their lines: `GpioLine`, or a `FakeBoard`.
        clock: Gives monotonic seconds. Of a view its age is used and not its time: the lamps live
            in the present, whenever the picture was taken.
        stale_seconds: All lamps are off while what is known is older than this.
        has_thread: Whether a thread calls `tick`; if not, the caller does.

    Raises:
        OutputError: If one of the lines cannot be had; the others are let go.
        MissingExtraError: If the bindings for GPIO are missing.
    """

    def __init__(
        self,
        config: IndicatorConfig,
        open_line: LineFactory,
        *,
        clock: Callable[[], float] = time.monotonic,
        stale_seconds: float = STALE_SECONDS,
        has_thread: bool = True,
    ) -> None:
        self._clock, self._stale_seconds = clock, stale_seconds
        self._claimed, self._known_seconds = NOTHING, clock()
        self._lock = Lock()
        with ExitStack() as stack:
            self._lamps = [stack.enter_context(lamp) for lamp in _open_lamps(config, open_line)]
            self._held = stack.pop_all()
        is_driven = has_thread and self._lamps
        self._ticker = Ticker(self._tick_alone, tick_seconds(config)) if is_driven else None

    def show(self, view: View) -> None:
        """Take one view.

        Raises:
            OutputError: If a lamp cannot be set; the others are, and the next view tries again.
        """
        with self._lock:
            self._claimed, self._known_seconds = claims(view), self._clock() - view.age_seconds
        self.tick()

    def tick(self) -> None:
        """Bring all lamps up to the present.

        Raises:
            OutputError: If one cannot be set; the others are.
        """
        with self._lock:
            now = self._clock()
            is_stale = now - self._known_seconds > self._stale_seconds
            settle(self._lamps, NOTHING if is_stale else self._claimed, now)
            write_all(self._lamps, now)

    def close(self) -> None:
        """Switch all lamps off and let go of their lines; may be called twice.

        Raises:
            OutputError: If one could not be switched off; the others are.
        """
        if self._ticker is not None:
            self._ticker.close()
        self._held.close()

    def _tick_alone(self) -> None:
        with suppress(Exception):  # the next view meets it again, and tells
            self.tick()


class Ticker(Closing):
    """Calls a function again and again, in a thread of its own, until it is closed."""

    def __init__(self, act: Callable[[], None], period_seconds: float) -> None:
        self._act, self._period_seconds = act, period_seconds
        self._stop = Event()
        # A daemon: a program that forgot to close must still be able to end.
        self._thread = Thread(target=self._run, name="maskwatch-lamps", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread; may be called twice.

        Raises:
            OutputError: If it does not end within `JOIN_SECONDS`.
        """
        self._stop.set()
        self._thread.join(JOIN_SECONDS)
        if self._thread.is_alive():
            raise OutputError(
                f"the thread that drives the lamps did not end within {JOIN_SECONDS:g} s: "
                "setting a GPIO line hangs; check its chip and cable"
            )

    def _run(self) -> None:
        while not self._stop.wait(self._period_seconds):
            self._act()


def tick_seconds(config: IndicatorConfig) -> float:
    """Return how often the lamps want a tick: an edge comes at most a twentieth of a blink late."""
    fastest_hz = max((lamp.blink_hz for lamp in config.lamps), default=0.0)
    if fastest_hz <= 0:
        return SLOWEST_TICK_SECONDS
    return min(1 / (TICKS_PER_BLINK * fastest_hz), SLOWEST_TICK_SECONDS)


def _open_lamps(config: IndicatorConfig, open_line: LineFactory) -> Iterator[Lamp]:
    for lamp in config.lamps:
        line = open_line(lamp.line, chip=config.chip, active_low=lamp.active_low)
        yield Lamp(lamp, line)


def switch_off(config: IndicatorConfig, open_line: LineFactory) -> None:
    """Leave all lamps off, also those that a killed process left lit.

    Raises:
        OutputError: If a line cannot be had; the others are off.
    """
    errors = []
    for lamp in config.lamps:
        try:
            open_line(lamp.line, chip=config.chip, active_low=lamp.active_low).close()
        except OutputError as error:
            errors.append(error)
    if errors:
        raise errors[0]
