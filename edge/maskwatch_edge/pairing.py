"""Which box of a frame continues which box of the frames before: plain geometry."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from .boxes import FaceBox

MAX_SIZE_RATIO = 1.6
"""A face that grows or shrinks more than this between two looks is another face."""

REACH_A_SECOND, LONGEST_REACH = 5.0, 1.5
"""How far a face may have moved where the boxes do not overlap, in face sizes: five in a second is
someone walking past, and the neighbour's face is seldom nearer than two and a half."""

Candidate: TypeAlias = tuple[float, int, int]
"""How well a pair fits, the number of its row, the number of its column."""


def pair_up(candidates: Iterable[Candidate]) -> dict[int, int]:
    """Pair rows with columns greedily, the highest value first, each at most once.

    Args:
        candidates: Each pair that may be; of equal values the lowest row and column win.

    Returns:
        Column by row.
    """
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for _, row, column in sorted((-value, row, column) for value, row, column in candidates):
        if row not in pairs and column not in taken:
            pairs[row] = column
            taken.add(column)
    return pairs


def affinity(before: FaceBox, after: FaceBox, reach: float, min_iou: float) -> float:
    """Tell how well a box continues another.

    A box that overlaps is always better than one that is only near. Being near is for slow
    finders, between whose looks a face moves by more than its own width.

    Args:
        before: The face as it was last seen.
        after: A face now.
        reach: How far the face may have moved if they do not overlap, in face sizes.
        min_iou: How much they must share to overlap, in [0, 1].

    Returns:
        0 if it does not, above 1 if they overlap, something between if it is only near.
    """
    smaller, larger = sorted((before.size, after.size))
    if larger > MAX_SIZE_RATIO * smaller:
        return 0.0
    iou = before.iou(after)
    if iou > 0 and iou >= min_iou:
        return 1.0 + iou
    across = before.x1 + before.x2 - after.x1 - after.x2
    down = before.y1 + before.y2 - after.y1 - after.y2
    sizes = math.hypot(across, down) / 2 / larger
    return 1.0 - sizes / reach if sizes < reach else 0.0


def candidates(
    before: Sequence[tuple[FaceBox, float]], after: Sequence[FaceBox], min_iou: float
) -> Iterator[Candidate]:
    """Yield every pair that may be the same face.

    Args:
        before: Faces as they were last seen, each with the seconds since then.
        after: Faces now.
        min_iou: How much two boxes must share to overlap, in [0, 1].

    Yields:
        How well it fits, index in `before`, index in `after`.
    """
    for row, (box, elapsed_seconds) in enumerate(before):
        reach = min(REACH_A_SECOND * elapsed_seconds, LONGEST_REACH)
        # Most pairs are far apart: ruling them out first saves most of the time.
        zone = box.expanded(reach)
        for column, other in enumerate(after):
            if _touch(zone, other):
                value = affinity(box, other, reach, min_iou)
                if value > 0:
                    yield value, row, column


def _touch(one: FaceBox, other: FaceBox) -> bool:
    return one.x1 < other.x2 and other.x1 < one.x2 and one.y1 < other.y2 and other.y1 < one.y2
