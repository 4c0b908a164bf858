"""Which of the labelled faces are measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from maskwatch_edge.dataset import LabelledFace, LabelledFrame
from maskwatch_edge.errors import InputError


@dataclass(frozen=True)
class Selection:
    """Which of the labelled faces are measured.

    Attributes:
        min_face_size: Shorter side in pixels from which a boxed face counts.
        split: Only this published split; None for all.
        held_out: Only these identities; None for all.
    """

    min_face_size: int
    split: str | None = None
    held_out: frozenset[str] | None = None

    @classmethod
    def read(cls, min_face_size: int, split: str | None, held_out: Path | None) -> Selection:
        """Build a selection, with the identities in a text file, one a line.

        Raises:
            InputError: If the file cannot be read.
        """
        if held_out is None:
            return cls(min_face_size, split)
        return cls(min_face_size, split, read_identities(held_out))

    def has_face(self, face: LabelledFace) -> bool:
        """Tell whether a face is to be measured."""
        is_large = face.box is None or face.box.size >= self.min_face_size
        is_in_split = self.split in (None, face.published_split)
        return is_large and is_in_split and self._is_held_out(face)

    def has_frame(self, frame: LabelledFrame) -> bool:
        """Tell whether a frame is to be measured: all its faces are held out together."""
        return self.held_out is None or any(map(self._is_held_out, frame.faces))

    def _is_held_out(self, face: LabelledFace) -> bool:
        try:
            return self.held_out is None or face.identity in self.held_out
        except OSError:
            return True  # Where it is to be measured, it is named and skipped.


def read_identities(file: Path) -> frozenset[str]:
    """Read the identities of faces from a text file, one a line.

    Raises:
        InputError: If the file cannot be read.
    """
    try:
        return frozenset(file.read_text().split())
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {file}: {error}") from error
