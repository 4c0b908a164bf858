"""What a measurement depends on beside model, finder and frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from maskwatch_edge.config import FacesConfig, Thresholds


@dataclass(frozen=True)
class Conditions:
    """What a measurement depends on beside model, finder and frames.

    Attributes:
        smallest_face_px: The finder drops boxes with a shorter side.
        min_face_score: Boxes that the finder scores lower are dropped, too.
        min_score: Verdicts that the model scores lower are unsure.
        held_out: Only the frames that this file names are measured; "" for all.
        difficult: Faces that this file names are neither asked for nor false alarms; "" for none.
    """

    smallest_face_px: int = FacesConfig().min_size_px
    min_face_score: float = Thresholds().min_face_score
    min_score: float = Thresholds().min_score
    held_out: str = ""
    difficult: str = ""

    def sentences(self) -> Iterator[str]:
        """Say it to people."""
        if self.held_out:
            yield f"Only the frames that {self.held_out} names were looked at."
        if self.difficult:
            yield f"To find a face that {self.difficult} names is no false alarm."
        yield (
            f"Boxes of less than {self.smallest_face_px} px are dropped, and so are those that the "
            f"finder scores below {self.min_face_score:g}; a verdict that the model scores below "
            f"{self.min_score:g} is unsure."
        )
