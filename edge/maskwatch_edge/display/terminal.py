"""The text console that shares the screen with the framebuffer: it must not draw into our picture.

See Linux's console_ioctl(2).
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from maskwatch_edge.closing import Closing

KDSETMODE = 0x4B3A
KDGETMODE = 0x4B3B
KD_TEXT = 0
KD_GRAPHICS = 1

TERMINALS = (Path("/dev/tty"), Path("/dev/tty0"), Path("/dev/tty1"))
"""The terminal that we were started on, if it is a screen's; or else the one that is seen; or else
the first one, the only one that the service is let to."""

CLEAR = b"\x1b[?25l\x1b[9;0]\x1b[13]"
"""No cursor, never go dark for want of keys, and wake up now; see console_codes(4)."""
SHOW_CURSOR = b"\x1b[?25h"

Ioctl: TypeAlias = Callable[[int, int, int | bytes], int | bytes]


def ask_kernel(descriptor: int, request: int, argument: int | bytes) -> int | bytes:
    """Call the kernel's ioctl."""
    return fcntl.ioctl(descriptor, request, argument)


class TextConsole(Closing):
    """Keeps the kernel's text and blinking cursor off the screen, as far as it is allowed to.

    Graphics mode stops both. It is granted on the terminal that one was started on, and to root.
    Without it, escape sequences hide the cursor and keep the screen from going dark, if the
    terminal may be written to (group tty). The time after which it goes dark comes back with the
    next boot. All of this is a nicety: where nothing is allowed, nothing is done.

    Args:
        paths: Terminals to try, in this order.
        ioctl: Asks the kernel.
    """

    def __init__(self, paths: Sequence[Path] = TERMINALS, ioctl: Ioctl = ask_kernel) -> None:
        self._ioctl = ioctl
        self._descriptor = -1
        self._undo: Callable[[], object] = lambda: None
        for path in paths:
            if self._open(path):
                self._hide()
                return

    def close(self) -> None:
        """Show text again, if it was shown before; may be called twice."""
        if self._descriptor < 0:
            return
        with suppress(OSError):
            self._undo()
        os.close(self._descriptor)
        self._descriptor = -1

    def _open(self, path: Path) -> bool:
        """Open a terminal if it is that of a screen: one of ssh would be written to for nothing."""
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            answer = self._ioctl(descriptor, KDGETMODE, bytes(4))
        except OSError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        self._mode_before = int.from_bytes(bytes(answer), "little")
        return True

    def _hide(self) -> None:
        try:
            self._ioctl(self._descriptor, KDSETMODE, KD_GRAPHICS)
            self._undo = lambda: self._ioctl(self._descriptor, KDSETMODE, self._mode_before)
        except OSError:
            with suppress(OSError):
                os.write(self._descriptor, CLEAR)
                self._undo = lambda: os.write(self._descriptor, SHOW_CURSOR)


class FakeTerminal:
    """The kernel's side of a screen's terminal; give it to `TextConsole` as `ioctl`.

    Args:
        is_screen: Whether this is a terminal of a screen, not one of ssh.
        allows_graphics: Whether graphics mode is granted.

    Attributes:
        modes: The mode at the start and every one that was set, the newest last.
    """

    def __init__(self, is_screen: bool = True, allows_graphics: bool = True) -> None:
        self._is_screen = is_screen
        self._allows_graphics = allows_graphics
        self.modes = [KD_TEXT]

    def __call__(self, descriptor: int, request: int, argument: int | bytes) -> int | bytes:
        """Answer as the kernel does.

        Raises:
            OSError: ENOTTY, EPERM or EINVAL, as the kernel would.
        """
        os.fstat(descriptor)
        if not self._is_screen:
            raise OSError(errno.ENOTTY, os.strerror(errno.ENOTTY))
        if request == KDGETMODE and isinstance(argument, bytes):
            return self.modes[-1].to_bytes(4, "little")
        if request != KDSETMODE or argument not in (KD_TEXT, KD_GRAPHICS):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        if not self._allows_graphics:
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))
        self.modes.append(int(argument))
        return 0
