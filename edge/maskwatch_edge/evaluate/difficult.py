"""Faces beside the annotated ones that are neither asked for nor false alarms."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.dataset import LabelledFrame, content_digest
from maskwatch_edge.errors import InputError

from .selection import read_identities

IDENTITY = re.compile(r"([0-9a-f]{64}):(\d{1,6}),(\d{1,6}),(\d{1,6}),(\d{1,6})")


def with_difficult(frames: Sequence[LabelledFrame], file: Path) -> list[LabelledFrame]:
    """Return frames with the difficult faces that a text file lists beside their own.

    Args:
        frames: All of a data set.
        file: Names faces as `dataset.LabelledFace.identity` does, one a line.

    Raises:
        InputError: If it cannot be read, names no face, or names one of another data set.
    """
    listed = _read(file)
    digests = [_digest(frame.path) for frame in frames]
    if unknown := listed.keys() - set(digests):
        raise InputError(
            f"{file}: expected faces in pictures of this data set; {len(unknown)} of "
            f"{len(listed)} pictures are not in it, such as the one with SHA-256 {min(unknown)}"
        )
    return [
        replace(frame, difficult=(*frame.difficult, *listed.get(digest, ())))
        for frame, digest in zip(frames, digests, strict=True)
    ]


def _read(file: Path) -> Mapping[str, Sequence[FaceBox]]:
    boxes: dict[str, list[FaceBox]] = defaultdict(list)
    for identity in sorted(read_identities(file)):
        named = IDENTITY.fullmatch(identity)
        try:
            if named is None:
                raise ValueError("it is not of that form")
            digest, *edges = named.groups()
            boxes[digest].append(FaceBox(*map(int, edges)))
        except ValueError as error:
            raise InputError(
                f"{file}: expected SHA-256:X1,Y1,X2,Y2, the digest of a picture and a box in it, "
                f"one a line; received {identity[:100]!r}: {error}"
            ) from error
    if not boxes:
        raise InputError(f"{file} is empty; expected SHA-256:X1,Y1,X2,Y2, one a line")
    return boxes


def _digest(picture: Path) -> str:
    try:
        return content_digest(picture)
    except OSError:
        return ""  # where it is to be measured, it is named and skipped
