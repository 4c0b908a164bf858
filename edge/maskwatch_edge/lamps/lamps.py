"""What each lamp says, and when it is lit; the clock is passed in, in monotonic seconds."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

from maskwatch_edge.cameras.state import CameraState
from maskwatch_edge.closing import Closing
from maskwatch_edge.config import LampConfig
from maskwatch_edge.errors import OutputError
from maskwatch_edge.verdict import Decision

from .gpio import Line

if TYPE_CHECKING:
    from maskwatch_edge.view import View

REFRESH_SECONDS = 1.0
"""A lamp is written so often though it stays as it is: so a chip pulled out is noticed."""


class Role(StrEnum):
    """What a lamp says when it is on."""

    ALERT = "alert"
    """Someone wears no mask."""

    CLEAR = "clear"
    """There are people, and all of them wear masks; of nobody it is unsure."""

    ALIVE = "alive"
    """Maskwatch runs, and its camera gives pictures."""


NOTHING: frozenset[Role] = frozenset()


def claims(view: View) -> frozenset[Role]:
    """Return what may be said of a view; nothing while the camera does not see."""
    if view.camera is not CameraState.SEEING:
        return NOTHING
    decisions = {track.decision for track in view.tracks}
    if Decision.NO_MASK in decisions:
        return frozenset({Role.ALIVE, Role.ALERT})
    return frozenset({Role.ALIVE, Role.CLEAR} if decisions == {Decision.MASK} else {Role.ALIVE})


class Lamp(Closing):
    """One lamp: what it should say by now, and the line that drives it."""

    def __init__(self, config: LampConfig, line: Line) -> None:
        self.role = Role(config.role)
        self._config = config
        self._line = line
        self._on_since: float | None = None
        self._is_lit: bool | None = None
        self._written_seconds = 0.0

    @property
    def is_on(self) -> bool:
        """Whether it says something, steadily or blinking."""
        return self._on_since is not None

    def ask(self, is_wanted: bool, now_seconds: float) -> None:
        """Switch it on, or off once its minimum time is over."""
        if self._on_since is None:
            self._on_since = now_seconds if is_wanted else None
        elif not is_wanted and now_seconds - self._on_since >= self._config.min_on_seconds:
            self._on_since = None

    def off(self) -> None:
        """Switch it off at once."""
        self._on_since = None

    def is_lit(self, now_seconds: float) -> bool:
        """Return whether it gives light; a blinking lamp begins with its lit half."""
        if self._on_since is None:
            return False
        return (now_seconds - self._on_since) * self._config.blink_hz % 1.0 < 0.5

    def write(self, now_seconds: float) -> None:
        """Bring the line up to date.

        Raises:
            OutputError: If it cannot be set; the next call tries again.
        """
        is_lit = self.is_lit(now_seconds)
        is_old = now_seconds - self._written_seconds >= REFRESH_SECONDS
        if is_lit is not self._is_lit or is_old:
            self._is_lit = None
            self._line.set(is_lit)
            self._is_lit, self._written_seconds = is_lit, now_seconds

    def close(self) -> None:
        """Switch it off and let go of its line; may be called twice."""
        self._line.close()


def settle(lamps: Sequence[Lamp], claimed: frozenset[Role], now_seconds: float) -> None:
    """Switch the lamps as claimed; without `ALIVE` all are off at once.

    A clear lamp is never on beside an alert. It goes off at once when someone unmasked comes, and
    waits for the end of the alert's minimum time.
    """
    if Role.ALIVE not in claimed:
        for lamp in lamps:
            lamp.off()
        return
    for lamp in lamps:
        if lamp.role is not Role.CLEAR:
            lamp.ask(lamp.role in claimed, now_seconds)
    is_alert = Role.ALERT in claimed or any(x.is_on for x in lamps if x.role is Role.ALERT)
    for lamp in lamps:
        if lamp.role is Role.CLEAR and is_alert:
            lamp.off()
        elif lamp.role is Role.CLEAR:
            lamp.ask(Role.CLEAR in claimed, now_seconds)


def write_all(lamps: Sequence[Lamp], now_seconds: float) -> None:
    """Bring the lines of all lamps up to date, those that go off first.

    Raises:
        OutputError: If one cannot be set; the others are.
    """
    errors = []
    for lamp in sorted(lamps, key=lambda lamp: lamp.is_lit(now_seconds)):
        try:
            lamp.write(now_seconds)
        except OutputError as error:
            errors.append(error)
    if errors:
        raise errors[0]
