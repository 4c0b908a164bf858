"""Lines that drive lamps, through the kernel's GPIO character device and libgpiod's own bindings.

Wire a LED with 330 Ω or so from the pin to ground, and anything bigger through a transistor or a
relay board. Add a resistor of 10 kΩ that pulls the lamp's input to its off level: until a program
takes the line, and on some kernels after it ends, nothing else does.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from maskwatch_edge.closing import Closing
from maskwatch_edge.errors import OutputError

from .gpio_chips import ChipInfo, LineInfo, describe_lines, find_line

CONSUMER = "maskwatch"
"""How `gpioinfo` and other programs name who holds our lines."""


class Line(Protocol):
    """One output. On and off are logical: active-low lines are low when on."""

    @property
    def is_on(self) -> bool:
        """Whether it is on, as read back from the hardware.

        Raises:
            OutputError: If it cannot be read, or is closed.
        """
        ...

    def set(self, is_on: bool) -> None:
        """Switch it on or off.

        Raises:
            OutputError: If it cannot be set, or is closed.
        """
        ...

    def close(self) -> None:
        """Switch it off and let go of it; may be called twice.

        Raises:
            OutputError: If it could not be switched off; it is let go all the same.
        """
        ...


class LineFactory(Protocol):
    """Whatever opens lines: the class `GpioLine`, or a `FakeBoard`."""

    def __call__(self, line: str, *, chip: str | None = None, active_low: bool = False) -> Line:
        """Take hold of a line; it is off from the first moment.

        Args:
            line: Its name, such as "GPIO17", or its number on the chip.
            chip: Name, path, number or label of its chip; None finds it (`find_line`).
            active_low: Whether a low level lights the lamp.

        Raises:
            OutputError: If there is no such line, or it cannot be had.
        """
        ...


class GpioLine(Closing):
    """A line of the board.

    Raises:
        OutputError: If there is no such line, somebody else holds it, or it may not be opened.
        MissingExtraError: If the bindings are missing, or of version 1.
    """

    def __init__(self, line: str, *, chip: str | None = None, active_low: bool = False) -> None:
        place, info = find_line(describe_lines(), line, chip)
        import gpiod
        from gpiod.line import Direction, Value

        self._name, self._offset = f"{line} of {place.name}", info.offset
        self._off, self._on = Value.INACTIVE, Value.ACTIVE
        settings = gpiod.LineSettings(
            direction=Direction.OUTPUT, active_low=active_low, output_value=self._off
        )
        try:
            self._request = gpiod.request_lines(
                place.path, {info.offset: settings}, consumer=CONSUMER
            )
        except OSError as error:
            raise _cannot_take(self._name, info, error) from error

    @property
    def is_on(self) -> bool:
        """Whether it is on, as read back from the kernel."""
        self._check_open()
        try:
            return self._request.get_value(self._offset) is self._on
        except OSError as error:
            raise _cannot_reach(self._name, error) from error

    def set(self, is_on: bool) -> None:
        """Switch it on or off."""
        self._check_open()
        try:
            self._request.set_value(self._offset, self._on if is_on else self._off)
        except OSError as error:
            raise _cannot_reach(self._name, error) from error

    def close(self) -> None:
        """Switch it off and let go of it; may be called twice."""
        # Kernels differ in what becomes of a pin that is let go: Raspberry Pi's own keep its last
        # level, others make it an input. Off is where both should start from.
        if self._request:
            try:
                self.set(False)
            finally:
                self._request.release()

    def _check_open(self) -> None:
        if not self._request:
            raise _is_closed(self._name)


class FakeLine(Closing):
    """A line that remembers every change of its level.

    Attributes:
        history: (seconds, level) of every change, the level on opening first; True is high.
        is_plugged: Whether its chip is there; False is a chip that was pulled out.
        is_open: Whether somebody holds it.
    """

    def __init__(self, name: str, *, active_low: bool, clock: Callable[[], float]) -> None:
        self._name, self._is_active_low, self._clock = name, active_low, clock
        self.is_plugged = self.is_open = True
        self.history = [(clock(), active_low)]

    @property
    def level(self) -> bool:
        """What a voltmeter shows, True for high; it stays after closing."""
        return self.history[-1][1]

    @property
    def is_on(self) -> bool:
        """Whether it is on."""
        self._check()
        return self.level is not self._is_active_low

    def set(self, is_on: bool) -> None:
        """Switch it on or off."""
        self._check()
        level = is_on is not self._is_active_low
        if level is not self.level:
            self.history.append((self._clock(), level))

    def close(self) -> None:
        """Switch it off and let go of it; may be called twice."""
        if self.is_open:
            try:
                self.set(False)
            finally:
                self.is_open = False

    def _check(self) -> None:
        if not self.is_open:
            raise _is_closed(self._name)
        if not self.is_plugged:
            raise _cannot_reach(self._name, OSError(errno.ENODEV, "No such device"))


FAKE_PI = ChipInfo(
    "/dev/gpiochip0",
    "pinctrl-bcm2711",
    tuple(LineInfo(offset, f"GPIO{offset}") for offset in range(28)),
)
"""The header of a Pi 4."""


class FakeBoard:
    """A board whose lines are `FakeLine`s: finds and refuses as the real one does.

    Args:
        chips: What it has.
        clock: Gives the seconds that the lines remember.
    """

    def __init__(
        self, chips: Sequence[ChipInfo] = (FAKE_PI,), clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._chips, self._clock = tuple(chips), clock
        self._lines: dict[tuple[str, int], FakeLine] = {}

    def __call__(self, line: str, *, chip: str | None = None, active_low: bool = False) -> FakeLine:
        """Take hold of a line."""
        place, info = find_line(self.describe_lines(), line, chip)
        name = f"{line} of {place.name}"
        if info.used_by is not None:
            raise _cannot_take(name, info, OSError(errno.EBUSY, "Device or resource busy"))
        opened = FakeLine(name, active_low=active_low, clock=self._clock)
        self._lines[place.path, info.offset] = opened
        return opened

    def __getitem__(self, line: str) -> FakeLine:
        """Return the line as it was opened last, so that a test can look at it."""
        place, info = find_line(self._chips, line)
        return self._lines[place.path, info.offset]

    def describe_lines(self) -> list[ChipInfo]:
        """Return its chips, with who holds which line now."""
        return [replace(chip, lines=tuple(self._describe(chip))) for chip in self._chips]

    def _describe(self, chip: ChipInfo) -> list[LineInfo]:
        held = {place for place, line in self._lines.items() if line.is_open}
        return [
            replace(line, used_by=CONSUMER) if (chip.path, line.offset) in held else line
            for line in chip.lines
        ]


def _cannot_take(name: str, info: LineInfo, error: OSError) -> OutputError:
    if error.errno != errno.EBUSY:
        return OutputError(f"cannot take the GPIO line {name} as an output: {error.strerror}")
    holder = info.used_by or "another program"
    hint = "another maskwatch, or two lamps on one line?" if holder == CONSUMER else "end it, or"
    return OutputError(f"the GPIO line {name} is in use by {holder}; {hint} choose another line")


def _cannot_reach(name: str, error: OSError) -> OutputError:
    return OutputError(
        f"cannot reach the GPIO line {name}: {error.strerror}; is its chip still plugged in?"
    )


def _is_closed(name: str) -> OutputError:
    return OutputError(f"the GPIO line {name} is closed; open it anew")
