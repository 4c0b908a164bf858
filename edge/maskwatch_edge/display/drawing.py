"""Drawing in a thread of its own, so that a slow screen does not hold up the loop."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Condition, Thread

from maskwatch_edge.closing import Closing
from maskwatch_edge.faults import Fault, Warn
from maskwatch_edge.view import Output, View

OPEN_SECONDS = 10.0
"""How long opening a screen holds up the start."""

CLOSE_SECONDS = 3.0
"""How long a picture that is being drawn may take to end."""


class Drawing(Closing):
    """An output that shows the newest view, and passes over those that came while it drew.

    It never draws for more than half of the time, so a slow board draws less often.
    The screen is opened, drawn on and closed by the same thread, as SDL wants it.

    Args:
        open_output: Opens the screen; what it raises, the constructor does.
        warn: Told if the screen's driver does not come back from a call.
    """

    def __init__(self, open_output: Callable[[], Output], warn: Warn) -> None:
        self._open_output, self._warn = open_output, warn
        self._changed = Condition()
        self._view: View | None = None
        self._is_open = self._is_over = False
        self._failure: BaseException | None = None
        # A daemon: a driver that hangs must not keep the program from ending.
        self._thread = Thread(target=self._run, name="display", daemon=True)
        self._thread.start()
        with self._changed:
            self._changed.wait_for(lambda: self._is_open or self._is_over, OPEN_SECONDS)
        self._pass_on_failure()

    def show(self, view: View) -> None:
        """Let the thread draw a view as soon as it can; what failed in it comes out here."""
        self._pass_on_failure()
        with self._changed:
            self._view = view
            self._changed.notify_all()

    def close(self) -> None:
        """Draw what was shown last, and close the screen; may be called twice."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()
        self._thread.join(CLOSE_SECONDS)
        if self._thread.is_alive():
            told = "the display: its driver does not come back from a call; left behind"
            self._warn(Fault.DISPLAY_STUCK.once(told))
        self._pass_on_failure()

    def _run(self) -> None:
        try:
            self._draw()
        except BaseException as error:  # a thread has no caller to tell: `show` raises it
            self._failure = error
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def _draw(self) -> None:
        output = self._open_output()
        try:
            self._tell_open()
            while (view := self._next()) is not None:
                began_seconds = time.monotonic()
                output.show(view)
                self._rest(time.monotonic() - began_seconds)
        finally:
            output.close()

    def _tell_open(self) -> None:
        with self._changed:
            self._is_open = True
            self._changed.notify_all()

    def _next(self) -> View | None:
        """Wait for a view; None once it is over and the last one was drawn."""
        with self._changed:
            self._changed.wait_for(lambda: self._view is not None or self._is_over)
            view, self._view = self._view, None
            return view

    def _rest(self, seconds: float) -> None:
        """Leave the processor to the finder for as long as the drawing had it."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_over, seconds)

    def _pass_on_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
