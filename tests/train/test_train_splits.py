"""Dividing pictures into splits: no twin on both sides, and what is published stays."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwatch_train.splits import (
    SPLITS,
    TEST,
    TRAIN,
    VALIDATION,
    assign_splits,
    draw_groups,
)

Published = list[str | None]

SHARES = {"test_share": 0.2, "validation_share": 0.1}
published_lists = st.lists(st.sampled_from([None, "Train", "Validation", "Test"]), max_size=30)


@st.composite
def pictures(draw: st.DrawFn) -> tuple[Published, list[int]]:
    """Draw the published split of each picture, and its group."""
    published = draw(published_lists)
    size = len(published)
    return published, draw(st.lists(st.integers(0, 8), min_size=size, max_size=size))


def assign(
    published: Published, groups: list[int], seed: int = 1, fold: int = 0
) -> list[str | None]:
    array = np.array(groups, dtype=np.int64)
    return assign_splits(published, array, draw_groups(groups, array, seed), fold=fold, **SHARES)


@given(pictures=pictures(), seed=st.integers(0, 99))
def test_no_group_is_in_two_splits(pictures: tuple[Published, list[int]], seed: int) -> None:
    places: dict[int, set[str]] = {}
    for split, group in zip(assign(*pictures, seed), pictures[1], strict=True):
        if split is not None:
            places.setdefault(group, set()).add(split)
    assert all(len(splits) == 1 for splits in places.values())


@given(pictures=pictures(), seed=st.integers(0, 99))
def test_a_published_split_is_kept_or_the_picture_is_left_out(
    pictures: tuple[Published, list[int]], seed: int
) -> None:
    names = set(pictures[0])
    scored = "Test" if "Test" in names else "Validation"
    for split, name in zip(assign(*pictures, seed), pictures[0], strict=True):
        if name == scored:
            assert split == TEST
        elif name == "Validation":
            assert split in (VALIDATION, None)
        elif name == "Train" and {"Test", "Validation"} <= names:
            assert split in (TRAIN, None)
        elif name == "Train" and names & {"Test", "Validation"}:
            # Nothing is published to choose the epoch by: some of it is taken for that.
            assert split in (TRAIN, VALIDATION, None)


@given(pictures=pictures(), seed=st.integers(0, 99))
def test_a_picture_is_left_out_only_for_a_twin_that_is_held_out_more(
    pictures: tuple[Published, list[int]], seed: int
) -> None:
    published, groups = pictures
    result = assign(published, groups, seed)
    for split, name, group in zip(result, published, groups, strict=True):
        if split is None:
            assert name is not None
            others = [s for s, g in zip(result, groups, strict=True) if g == group and s]
            assert max(map(SPLITS.index, others)) > SPLITS.index(name.lower())


@given(pictures=pictures(), seed=st.integers(0, 99))
def test_the_same_seed_gives_the_same_splits(
    pictures: tuple[Published, list[int]], seed: int
) -> None:
    assert assign(*pictures, seed) == assign(*pictures, seed)


def test_another_seed_draws_other_splits() -> None:
    published: Published = [None] * 50
    assert assign(published, list(range(50)), 1) != assign(published, list(range(50)), 2)


def test_unpublished_pictures_are_divided_by_the_shares() -> None:
    result = assign([None] * 1000, list(range(1000)))
    counts = Counter(result)
    # Each group is drawn for itself: three standard deviations are 38 and 28.
    assert counts[TEST] == pytest.approx(200, abs=38)
    assert counts[VALIDATION] == pytest.approx(100, abs=28)


def test_every_picture_is_scored_in_one_fold() -> None:
    size = 300
    folds = [assign([None] * size, list(range(size)), fold=fold) for fold in range(5)]
    for splits in zip(*folds, strict=True):
        assert splits.count(TEST) == 1


@given(
    mine=st.lists(st.integers(0, 1 << 62), min_size=1, max_size=20, unique=True),
    others=st.lists(st.integers(0, 1 << 62), max_size=20),
    seed=st.integers(0, 99),
)
def test_a_picture_is_drawn_alike_whatever_else_is_loaded(
    mine: list[int], others: list[int], seed: int
) -> None:
    alone = draw_groups(mine, np.arange(len(mine)), seed)
    size = len(mine) + len(others)
    together = draw_groups([*others, *mine], np.arange(size), seed)
    assert list(alone.values()) == [together[len(others) + i] for i in range(len(mine))]
    assert all(0.0 <= draw < 1.0 for draw in alone.values())


@pytest.mark.parametrize(
    ("published", "groups", "expected"),
    [
        # All three are published: they stay.
        (["Train", "Validation", "Test"], [0, 1, 2], [TRAIN, VALIDATION, TEST]),
        # A picture of Train has a twin in Validation, which has one in Test.
        (["Train", "Validation", "Test"], [0, 0, 0], [None, None, TEST]),
        (["Train", "Validation", "Test"], [0, 0, 1], [None, VALIDATION, TEST]),
        # An unpublished twin of a published picture goes where that one is.
        ([None, "Test", "Validation", "Train"], [0, 0, 1, 2], [TEST, TEST, VALIDATION, TRAIN]),
    ],
)
def test_published_splits_and_their_twins(
    published: Published, groups: list[int], expected: list[str | None]
) -> None:
    assert assign(published, groups) == expected


def test_train_alone_publishes_no_split_and_is_divided() -> None:
    size = 100
    assert assign(["Train"] * size, list(range(size))) == assign([None] * size, list(range(size)))


def test_validation_is_scored_where_no_test_is_published() -> None:
    published: Published = [*["Train"] * 100, *["Validation"] * 10]
    result = assign(published, list(range(110)))
    assert result[100:] == [TEST] * 10
    assert TEST not in result[:100]
    # The epoch must be chosen on something: a tenth of the groups, drawn from Train.
    assert 2 <= result[:100].count(VALIDATION) <= 20
