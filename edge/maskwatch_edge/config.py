"""Settings of the edge: typed, checked once, immutable."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import InputError


@dataclass(frozen=True)
class Thresholds:
    """What is shown, and what is claimed.

    Raises:
        InputError: If a value is outside its range.
    """

    min_face_score: float = 0.5
    """Faces that the finder scores lower, in [0, 1], are ignored."""

    min_score: float = 0.8
    """Verdicts that the model scores lower, in [0, 1], are `unsure`."""

    def __post_init__(self) -> None:
        for name in ("min_face_score", "min_score"):
            value = getattr(self, name)
            if not 0.0 <= value <= 1.0:
                raise InputError(f"{name} must be a number from 0 to 1; received {value}")
