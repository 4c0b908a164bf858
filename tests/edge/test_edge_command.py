"""What the options of all commands share."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwatch_edge.command import count, need, points, positive, share, whole
from maskwatch_edge.errors import MissingExtraError

Number = int | float


@pytest.mark.parametrize(
    ("parse", "text", "expected"),
    [
        (share, "0", 0.0),
        (share, "1", 1.0),
        (share, "0.25", 0.25),
        (share, "5e-1", 0.5),
        (points, "100", 100.0),
        (points, "0.5", 0.5),
        (positive, "1e-4", 1e-4),
        (positive, "32", 32.0),
        (count, "1", 1),
        (count, "128", 128),
        (whole, "0", 0),
        (whole, "7", 7),
    ],
)
def test_a_number_in_its_range_is_taken(
    parse: Callable[[str], Number], text: str, expected: Number
) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        *((parse, text) for parse in (share, points, positive) for text in ("", "x", "nan", "inf")),
        (share, "1.1"),
        (share, "-0.1"),
        (share, "50%"),
        (points, "101"),
        (points, "-1"),
        (positive, "0"),
        (positive, "-3"),
        *((parse, text) for parse in (count, whole) for text in ("", "-1", "1.5", "two", "+1")),
        (count, "0"),
    ],
)
def test_a_number_outside_its_range_is_refused_as_it_was_written(
    parse: Callable[[str], Number], text: str
) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"^expected ") as caught:
        parse(text)
    assert repr(text) in str(caught.value)


@given(st.text(max_size=12), st.sampled_from([share, points, positive, count, whole]))
def test_any_text_is_a_number_or_a_clear_refusal(text: str, parse: Callable[[str], Number]) -> None:
    try:
        is_good = parse(text) >= 0
    except argparse.ArgumentTypeError as error:
        is_good = repr(text) in str(error)
    assert is_good


def test_a_package_that_is_there_is_not_asked_for() -> None:
    need("json", "json", "train")


@pytest.mark.parametrize("module", ["tensorflow", "no_such_module", "json.no_such_part"])
def test_a_package_that_is_missing_is_told_with_its_extra(
    monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=r"package ImageHash.*maskwatch\[train\]"):
        need(module, "ImageHash", "train")
