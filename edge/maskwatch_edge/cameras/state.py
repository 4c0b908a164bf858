"""Whether a camera sees; small, for those who only ask that."""

from __future__ import annotations

from enum import StrEnum


class CameraState(StrEnum):
    """What the reader is doing."""

    SEEING = "seeing"
    """Pictures come."""

    WAITING = "waiting"
    """No picture came since the start; the camera is tried again and again."""

    LOST = "lost"
    """No pictures come any more; the camera is tried again and again."""

    ENDED = "ended"
    """There is nothing more: the end of a file, or the reader was closed."""
