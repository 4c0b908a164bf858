"""Which pictures are learned, which choose the epoch, and which are scored."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from maskwatch_edge.dataset import LabelledFace

from .config import CommonConfig
from .duplicates import HashPair, group_twins, original_of

TRAIN, VALIDATION, TEST = "train", "validation", "test"
SPLITS = (TRAIN, VALIDATION, TEST)
"""Fitted on; used to choose the epoch; scored once at the end."""


@dataclass(frozen=True)
class Division:
    """How pictures are divided.

    Attributes:
        seed: Decides which groups are held out.
        test_share: Share of the groups, where nothing is published, that is scored at the end.
        validation_share: Share of the groups used to choose the epoch.
        fold: Which share is the one that is held out, from 0.
        copies_apart: Leave out changed copies, told by their names, of what is held out.
    """

    seed: int
    test_share: float
    validation_share: float
    fold: int = 0
    copies_apart: bool = True

    @classmethod
    def of(cls, config: CommonConfig, *, copies_apart: bool = True) -> Division:
        """Return the division that a training is started with."""
        shares = config.test_share, config.validation_share
        return cls(config.seed, *shares, config.fold, copies_apart)


def divide(
    faces: Sequence[LabelledFace], views: Sequence[Sequence[HashPair]], division: Division
) -> tuple[list[str | None], npt.NDArray[np.int64]]:
    """Group twins, and divide the groups.

    Args:
        faces: The first face of each picture.
        views: The hashes by which each is known: of the whole, then of parts.
        division: Decides which groups are held out.

    Returns:
        The split of each picture, None where it is left out because a twin is held out; and the
        group of each.
    """
    originals = [original_of(face.path) for face in faces] if division.copies_apart else ()
    groups = group_twins(views, originals=originals)
    splits = assign_splits(
        [face.published_split for face in faces],
        groups,
        draw_groups([min(hashes[0]) for hashes in views], groups, division.seed),
        test_share=division.test_share,
        validation_share=division.validation_share,
        fold=division.fold,
    )
    return splits, groups


def draw_groups(
    hashes: Sequence[int], groups: npt.NDArray[np.int64], seed: int
) -> dict[int, float]:
    """Draw a number in [0, 1) for each group of pictures.

    It depends on the group's own pictures and the seed alone, so that a picture is held out in
    every run that loads it, whatever else is loaded.
    """
    keys: dict[int, int] = {}
    for group, value in zip(groups.tolist(), hashes, strict=True):
        keys[group] = min(value, keys.get(group, value))
    return {group: _draw(f"{seed} {key}") for group, key in keys.items()}


def _draw(name: str) -> float:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:6]) / 2.0**48


def assign_splits(
    published: Sequence[str | None],
    groups: npt.NDArray[np.int64],
    draws: Mapping[int, float],
    *,
    test_share: float,
    validation_share: float,
    fold: int = 0,
) -> list[str | None]:
    """Give each picture its split, so that twins are in one split only.

    A published split is kept: the last one of Train, Validation, Test is scored. A group that
    spans several belongs to the one that is held out the most, and its members from the others
    are left out (None). Groups of which nothing is published are drawn by lot, and so is the
    validation split where none is published beside the one that is scored. The fold moves
    only what is drawn to be scored.
    """
    names = {name.lower() for name in published if name is not None}
    if not names & {VALIDATION, TEST}:  # a lone Train folder publishes no split
        names, published = set(), [None] * len(published)
    roles = {name: name for name in names}
    if TEST not in names and VALIDATION in names:
        roles[VALIDATION] = TEST
    own = [roles[name.lower()] if name else None for name in published]
    stated: dict[int, str] = {}
    for group, role in zip(groups, own, strict=True):
        if role is not None:
            stated[int(group)] = max(stated.get(int(group), TRAIN), role, key=SPLITS.index)
    drawn = {group: (draw - fold * test_share) % 1.0 for group, draw in draws.items()}
    has_validation = VALIDATION in roles.values()
    result: list[str | None] = []
    for group, role in zip(groups, own, strict=True):
        place = stated.get(int(group))
        if place is None:
            place = _place(drawn[int(group)], test_share, validation_share)
        elif place == TRAIN and not has_validation:
            place = _place(draws[int(group)], 0.0, validation_share)
            role = place if role == TRAIN else role
        result.append(place if role in (None, place) else None)
    return result


def _place(draw: float, test_share: float, validation_share: float) -> str:
    if draw < test_share:
        return TEST
    return VALIDATION if draw < test_share + validation_share else TRAIN
