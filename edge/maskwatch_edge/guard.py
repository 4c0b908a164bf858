"""An output that the service can do without: what fails is told once, and the rest goes on."""

from __future__ import annotations

from collections.abc import Callable

from .backoff import Backoff
from .closing import Closing
from .errors import words_of
from .faults import Fault, Warn
from .view import Output, View

FIRST_SECONDS = 1.0
"""Wait before an output that failed is opened again; each further wait is twice as long."""

LONGEST_SECONDS = 30.0
"""A screen that is switched on after the board brings its device only then; so does a plugged
GPIO board."""


class Guarded(Closing):
    """Opens an output, closes it when it fails, and opens it again after a while.

    Whatever it raises is its own trouble, also what nobody foresaw. One that hangs is not helped:
    the watchdog ends the program.

    Args:
        name: What a warning calls it, such as "display".
        fault: What its failure is.
        open_output: Opens it; called at once, and again after a failure.
        warn: Told when it fails, and when it is there again.
        is_retried: Whether it is opened again.
    """

    def __init__(
        self,
        name: str,
        fault: Fault,
        open_output: Callable[[], Output],
        warn: Warn,
        *,
        is_retried: bool = True,
    ) -> None:
        self._name, self._fault = name, fault
        self._open_output = open_output
        self._warn = warn
        self._is_retried = is_retried
        self._backoff = Backoff(FIRST_SECONDS, LONGEST_SECONDS)
        self._output: Output | None = None
        self._shown_since: float | None = None
        self._retry_at: float | None = None
        self._has_warned = False
        self._open()

    def show(self, view: View) -> None:
        """Show the view if the output is there.

        Raises:
            BrokenPipeError: If the reader of what is printed has gone, as `head` does.
        """
        if self._output is None and self._is_due(view.time_seconds):
            self._open()
        if self._output is None:
            return
        if self._shown_since is None:
            self._shown_since = view.time_seconds
        try:
            self._output.show(view)
        except BrokenPipeError:
            raise
        except Exception as error:
            self._backoff.worked(view.time_seconds - self._shown_since)
            self._tell(error)
            self._let_go()
        else:
            self._tell_well()

    def close(self) -> None:
        """Close the output for good, if it is there; may be called twice."""
        self._is_retried = False
        self._let_go()

    def _open(self) -> None:
        try:
            self._output, self._shown_since = self._open_output(), None
        except Exception as error:
            self._tell(error)

    def _let_go(self) -> None:
        output, self._output = self._output, None
        try:
            if output is not None:
                output.close()
        except Exception as error:
            self._tell(error)

    def _tell(self, error: Exception) -> None:
        if not self._has_warned:
            self._warn(self._fault.begun(f"{words_of(error)}; going on without the {self._name}"))
        self._has_warned = True

    def _tell_well(self) -> None:
        if self._has_warned:
            self._warn(self._fault.ended(f"the {self._name} is there now"))
        self._has_warned = False

    def _is_due(self, now_seconds: float) -> bool:
        """Say whether to try again; the wait begins with the first view without the output."""
        if not self._is_retried:
            return False
        if self._retry_at is None:
            self._retry_at = now_seconds + self._backoff.next_seconds()
        is_due = now_seconds >= self._retry_at
        if is_due:
            self._retry_at = None
        return is_due
