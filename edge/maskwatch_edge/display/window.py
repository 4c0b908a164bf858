"""The window on a desktop, drawn by SDL."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from maskwatch_edge.closing import Closing
from maskwatch_edge.errors import MissingExtraError, OutputError
from maskwatch_edge.view import View

from .screen import Screen, fitted

FIRST_SIZE_WH = (1280, 800)
"""A window starts that large, or smaller on a small desktop."""


class Window(Closing):
    """A window on the desktop; ESC, q or its close button ends the program.

    Args:
        on_quit: Called when the user wants to end.
        full_screen: Whether it covers the whole desktop.

    Raises:
        MissingExtraError: If pygame is not installed.
        OutputError: If no window can be opened.
    """

    def __init__(self, on_quit: Callable[[], None], full_screen: bool = False) -> None:
        try:
            import pygame
        except ImportError as error:
            raise MissingExtraError("pygame-ce", "display") from error
        self._pygame = pygame
        self._on_quit = on_quit
        self._screen = Screen()
        try:
            pygame.display.init()
            self._open(full_screen)
        except pygame.error as error:
            self.close()
            raise _no_window(str(error)) from error

    def show(self, view: View) -> None:
        """Draw the view as large as the window is now, and look at the keys that were pressed.

        Raises:
            OutputError: If the window is gone.
        """
        try:
            self._draw(view)
            events = self._pygame.event.get()
        except self._pygame.error as error:
            raise _no_window(str(error)) from error
        if any(self._is_end(event) for event in events):
            self._on_quit()

    def close(self) -> None:
        """Close the window; may be called twice."""
        self._pygame.display.quit()

    def _open(self, full_screen: bool) -> None:
        pygame = self._pygame
        if not _has_screen(pygame.display.get_driver()):
            raise pygame.error("there is no display")
        pygame.display.set_caption("Maskwatch")
        desktop_wh = pygame.display.get_desktop_sizes()[0]
        if full_screen:
            pygame.display.set_mode(desktop_wh, pygame.FULLSCREEN)
            pygame.mouse.set_visible(False)
            return
        width, height = FIRST_SIZE_WH
        # Panels and the title bar need room, too.
        room_wh = min(width, desktop_wh[0] * 9 // 10), min(height, desktop_wh[1] * 8 // 10)
        pygame.display.set_mode(fitted(FIRST_SIZE_WH, room_wh), pygame.RESIZABLE)

    def _draw(self, view: View) -> None:
        pygame = self._pygame
        surface = pygame.display.get_surface()
        if surface is None:
            raise pygame.error("it was closed")
        picture = self._screen.draw(view, surface.get_size())
        if picture is None:
            return
        surface.blit(pygame.image.frombuffer(picture, surface.get_size(), "RGB"), (0, 0))
        pygame.display.flip()

    def _is_end(self, event: Any) -> bool:
        pygame = self._pygame
        is_end_key = event.type == pygame.KEYDOWN and event.key in (pygame.K_ESCAPE, pygame.K_q)
        return is_end_key or event.type == pygame.QUIT


def _has_screen(driver: str) -> bool:
    # SDL draws into memory where it finds no screen; that is only right if it was asked for.
    return driver not in ("offscreen", "dummy") or "SDL_VIDEODRIVER" in os.environ


def _no_window(reason: str) -> OutputError:
    return OutputError(
        f"cannot open a window: {reason}; start it in a desktop session, or give --display none"
    )
