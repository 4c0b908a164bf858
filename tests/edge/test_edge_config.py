"""Settings are checked where they are made."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError

import pytest

from maskwatch_edge.config import Thresholds
from maskwatch_edge.errors import InputError


@pytest.mark.parametrize("name", ["min_face_score", "min_score"])
@pytest.mark.parametrize("value", [-0.01, 1.01, math.nan, math.inf])
def test_a_threshold_outside_0_to_1_is_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(InputError, match=f"{name} must be a number from 0 to 1; received {value}"):
        Thresholds(**{name: value})


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_a_threshold_from_0_to_1_is_taken(value: float) -> None:
    assert Thresholds(value, value).min_score == value


def test_settings_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        Thresholds().min_score = 0.1  # type: ignore[misc]
