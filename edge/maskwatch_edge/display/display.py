"""Which display there is, and what happens when there is none."""

from __future__ import annotations

from collections.abc import Callable

from maskwatch_edge.closing import Closing
from maskwatch_edge.config import DisplayConfig
from maskwatch_edge.faults import Fault, Warn
from maskwatch_edge.guard import Guarded
from maskwatch_edge.view import Output, View

from .console import Console
from .drawing import Drawing
from .window import Window


class NoDisplay(Closing):
    """Shows nothing."""

    def show(self, view: View) -> None:
        """Leave it."""


def open_display(config: DisplayConfig, on_quit: Callable[[], None], warn: Warn) -> Output:
    """Open the display that the configuration names.

    Args:
        config: Names it.
        on_quit: Called when the user closes the window or presses ESC or q in it.
        warn: Told when the display cannot be opened or is lost. Then nothing is
            shown; a screen that comes later is found. A missing desktop stays missing.

    Returns:
        A display whose `show` never fails, and returns before the picture is drawn.
    """
    if config.kind == "none":
        return NoDisplay()
    return Drawing(lambda: _open_screen(config, on_quit, warn), warn)


def _open_screen(config: DisplayConfig, on_quit: Callable[[], None], warn: Warn) -> Output:
    if config.kind == "window":
        return Guarded(
            "display",
            Fault.DISPLAY_FAILED,
            lambda: Window(on_quit, config.full_screen),
            warn,
            is_retried=False,
        )
    return Guarded("display", Fault.DISPLAY_FAILED, lambda: Console(config.framebuffer), warn)
