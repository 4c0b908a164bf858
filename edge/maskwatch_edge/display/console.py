"""The console display: an attached screen on a board that runs no desktop."""

from __future__ import annotations

from pathlib import Path

from maskwatch_edge.closing import Closing
from maskwatch_edge.view import View

from .framebuffer import Framebuffer
from .screen import Screen
from .screen_info import ReadInfo, read_screen_info
from .terminal import TextConsole


class Console(Closing):
    """Draws every view onto a framebuffer, and gives the screen back as it was.

    Args:
        framebuffer: The device, such as /dev/fb0; its group is `video`.
        read_info: Asks the device what it looks like.
        text: The text console on the same screen; found if None.

    Raises:
        OutputError: If the framebuffer cannot be opened.
    """

    def __init__(
        self,
        framebuffer: Path,
        read_info: ReadInfo = read_screen_info,
        text: TextConsole | None = None,
    ) -> None:
        self._framebuffer = Framebuffer(framebuffer, read_info)
        self._text = text or TextConsole()
        self._screen = Screen()

    def show(self, view: View) -> None:
        """Draw the view.

        Raises:
            OutputError: If the screen is gone.
        """
        picture = self._screen.draw(view, self._framebuffer.size_wh)
        if picture is not None:
            self._framebuffer.write(picture)

    def close(self) -> None:
        """Put back what was on the screen; may be called twice."""
        # In this order: back in text mode, the kernel draws its text anew.
        self._framebuffer.close()
        self._text.close()
