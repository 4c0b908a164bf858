"""Finding pictures that are the same, or nearly, so that they land in one split only.

A picture's perceptual hash (the signs of its low DCT frequencies) survives scaling, JPEG and
light. Two pictures are twins if their hashes, or the hash of one and that of the other's mirror
image, differ in at most `MAX_DISTANCE` of 64 bits; twins of twins belong together. At 6 bits
3 in 1,000 of the groups found in the 12K set mix both labels, which only strangers do; at 8 bits
chains join hundreds of strangers.

A data set of crops may have been cut out of another one's frames: the 12K set holds faces of the
annotated frames. So a frame is compared by each of its faces, too.

Copies that were turned and stretched have other hashes. The 12K set holds some of most masked
pictures, in all of its splits; their names tell what they are copies of.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import imagehash
import numpy as np
import numpy.typing as npt
from PIL import Image

from maskwatch_edge.frame import Pixels

Hashes = npt.NDArray[np.uint64]
HashPair = tuple[int, int]
"""Of a picture and of its mirror image."""

MAX_DISTANCE = 6

COPY_NAME = re.compile(r"Augmented_(\d+)_\d+")
"""How the 12K set names a changed copy: with the number of the picture that it was made of."""


def original_of(path: Path) -> str | None:
    """Return what all changed copies of one picture share, told by their names; None for others.

    Args:
        path: The picture, in a folder of its class.
    """
    match = COPY_NAME.fullmatch(path.stem)
    return f"{path.parent.name}/{match[1]}" if match else None


def perceptual_hash(pixels: Pixels) -> HashPair:
    """Return the 64-bit hash of a picture and of its mirror image."""
    grey = Image.fromarray(pixels).convert("L").resize((64, 64))
    return _bits(grey), _bits(grey.transpose(Image.Transpose.FLIP_LEFT_RIGHT))


def _bits(picture: Image.Image) -> int:
    return int(np.packbits(imagehash.phash(picture).hash).view(np.uint64)[0])


def group_twins(
    views: Sequence[Sequence[HashPair]],
    max_distance: int = MAX_DISTANCE,
    originals: Sequence[str | None] = (),
) -> npt.NDArray[np.int64]:
    """Group pictures by likeness.

    Args:
        views: For each picture what `perceptual_hash` returned for it, and for parts of it that
            may be pictures elsewhere.
        max_distance: Bits in which the hashes of twins may differ.
        originals: Of what each picture is a copy, if that is known (`original_of`).

    Returns:
        For each picture the index of the first picture of its group.
    """
    parents = np.arange(len(views))
    owners = np.repeat(parents, [len(pairs) for pairs in views])
    plain, mirrored = _columns([pair for pairs in views for pair in pairs])
    for index in range(len(owners)):
        distances = np.minimum(
            np.bitwise_count(plain[index] ^ plain[index + 1 :]),
            np.bitwise_count(plain[index] ^ mirrored[index + 1 :]),
        )
        for twin in index + 1 + np.flatnonzero(distances <= max_distance):
            _join(parents, int(owners[index]), int(owners[twin]))
    copies: dict[str, int] = {}
    for index, original in enumerate(originals):
        if original is not None:
            _join(parents, copies.setdefault(original, index), index)
    return np.array([_root(parents, index) for index in range(len(views))], dtype=np.int64)


def _columns(pairs: Sequence[HashPair]) -> tuple[Hashes, Hashes]:
    both = np.array(pairs, dtype=np.uint64).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def _root(parents: npt.NDArray[np.int64], index: int) -> int:
    while parents[index] != index:
        parents[index] = parents[parents[index]]
        index = int(parents[index])
    return index


def _join(parents: npt.NDArray[np.int64], one: int, other: int) -> None:
    first, second = sorted((_root(parents, one), _root(parents, other)))
    parents[second] = first
