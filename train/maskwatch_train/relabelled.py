"""Labels mended by hand: what some pictures are taken for in the place of what was published."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from maskwatch_edge.dataset import FRAME_CLASSES, WORN_WRONG, LabelledFace, content_digest
from maskwatch_edge.errors import InputError

from .options import SHIPPED

LEFT_OUT = "left_out"
"""In the place of a label: the picture is not learned from."""

MEANINGS = (*FRAME_CLASSES, LEFT_OUT)
DIGEST_LENGTH = 64


@dataclass(frozen=True)
class Relabelled:
    """What pictures are to be taken for.

    Attributes:
        meanings: One of `MEANINGS` by the SHA-256 of the picture's file, in hexadecimal.
        sha256: Digest of the list itself.
    """

    meanings: Mapping[str, str]
    sha256: str

    @classmethod
    def open(cls, name: str) -> Relabelled:
        """Read a list: a digest and a meaning a line; what follows a # is a remark.

        Args:
            name: `SHIPPED`, or the path of a text file.

        Raises:
            InputError: If there is no such file, or a line is not as expected.
        """
        paths = _shipped() if name == SHIPPED else [Path(name)]
        contents = {path: _content(path) for path in paths}
        meanings: dict[str, str] = {}
        for place, words in _entries(contents):
            digest, meaning = _read_line(place, words)
            if meanings.setdefault(digest, meaning) != meaning:
                raise InputError(f"{place}: this picture has two labels")
        return cls(meanings, hashlib.sha256("".join(contents.values()).encode()).hexdigest())

    def meaning_of(self, face: LabelledFace) -> str | None:
        """Return what the list takes a picture for; None if it does not name it.

        It names no boxed face of a frame: a digest stands for the whole picture.

        Raises:
            OSError: If the picture cannot be read.
        """
        return None if face.box is not None else self.meanings.get(content_digest(face.path))


def taken_for(face: LabelledFace, meaning: str) -> tuple[LabelledFace, ...]:
    """Return a face as what one of `MEANINGS` says it is; none if it is left out."""
    if meaning == LEFT_OUT:
        return ()
    return (replace(face, label=FRAME_CLASSES[meaning], worn_wrong=meaning == WORN_WRONG),)


def _shipped() -> list[Path]:
    return sorted(Path(__file__).with_name("labels").glob("*.txt"))


def _content(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"cannot read the labels {path}: {error}; expected {SHIPPED}, or a text file"
        ) from error


def _entries(contents: Mapping[Path, str]) -> Iterator[tuple[str, list[str]]]:
    """Yield where each line that says something stands, and its words."""
    for path, content in contents.items():
        for number, line in enumerate(content.splitlines(), start=1):
            if words := line.partition("#")[0].split():
                yield f"{path}, line {number}", words


def _read_line(place: str, words: list[str]) -> tuple[str, str]:
    digest, *rest = words
    is_digest = len(digest) == DIGEST_LENGTH and set(digest) <= set("0123456789abcdef")
    if not is_digest or len(rest) != 1 or rest[0] not in MEANINGS:
        raise InputError(
            f"{place}: expected the SHA-256 of a picture, in lower case, and one of "
            f"{', '.join(MEANINGS)}; received {' '.join(words)!r}"
        )
    return digest, rest[0]
