"""An output that the service can do without: what fails is told once, and the rest goes on."""

from __future__ import annotations

from collections.abc import Callable

from .closing import Closing
from .errors import MissingExtraError, OutputError
from .faults import Fault, Warn
from .view import Output, View

RETRY_SECONDS = 30.0
"""A screen that is switched on after the board brings its device only then; so does a plugged
GPIO board."""


class Guarded(Closing):
    """Opens an output, closes it when it fails, and opens it again after a while.

    Args:
        name: What a warning calls it, such as "display".
        fault: What its failure is.
        open_output: Opens it; called at once, and again after a failure.
        warn: Told when it fails, and when it is there again.
        retry_seconds: Time between two tries; None for no second one.
    """

    def __init__(
        self,
        name: str,
        fault: Fault,
        open_output: Callable[[], Output],
        warn: Warn,
        retry_seconds: float | None = RETRY_SECONDS,
    ) -> None:
        self._name, self._fault = name, fault
        self._open_output = open_output
        self._warn = warn
        self._retry_seconds = retry_seconds
        self._output: Output | None = None
        self._retry_at: float | None = None
        self._has_warned = False
        self._open()

    def show(self, view: View) -> None:
        """Show the view if the output is there; never raises OutputError."""
        if self._output is None and self._is_due(view.time_seconds):
            self._open()
        if self._output is None:
            return
        try:
            self._output.show(view)
        except OutputError as error:
            self._tell(error)
            self._let_go()

    def close(self) -> None:
        """Close the output for good, if it is there; may be called twice."""
        self._retry_seconds = None
        self._let_go()

    def _open(self) -> None:
        try:
            self._output = self._open_output()
        except (OutputError, MissingExtraError) as error:
            self._tell(error)
            return
        if self._has_warned:
            self._warn(self._fault.ended(f"the {self._name} is there now"))
        self._has_warned = False

    def _let_go(self) -> None:
        output, self._output = self._output, None
        try:
            if output is not None:
                output.close()
        except OutputError as error:
            self._tell(error)

    def _tell(self, error: Exception) -> None:
        if not self._has_warned:
            self._warn(self._fault.begun(f"{error}; going on without the {self._name}"))
        self._has_warned = True

    def _is_due(self, now_seconds: float) -> bool:
        """Say whether to try again; the wait begins with the first view without the output."""
        if self._retry_seconds is None:
            return False
        if self._retry_at is None:
            self._retry_at = now_seconds + self._retry_seconds
        is_due = now_seconds >= self._retry_at
        if is_due:
            self._retry_at = None
        return is_due
