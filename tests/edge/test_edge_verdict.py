"""From a score to what is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwatch_edge.contract import LABELS, WITH_MASK, WITHOUT_MASK
from maskwatch_edge.verdict import Decision, Verdict, decide


@pytest.mark.parametrize(
    ("label", "score", "min_score", "expected"),
    [
        (WITH_MASK, 0.9, 0.8, Decision.MASK),
        (WITHOUT_MASK, 0.9, 0.8, Decision.NO_MASK),
        (WITH_MASK, 0.8, 0.8, Decision.MASK),  # the threshold itself is enough
        (WITH_MASK, 0.79, 0.8, Decision.UNSURE),
        (WITHOUT_MASK, 0.79, 0.8, Decision.UNSURE),
        (WITH_MASK, 0.5, 0.0, Decision.MASK),  # without a threshold everything is claimed
        (WITHOUT_MASK, 0.999, 1.0, Decision.UNSURE),
    ],
)
def test_a_score_below_the_threshold_claims_nothing(
    label: str, score: float, min_score: float, expected: Decision
) -> None:
    assert decide(Verdict(label, score), min_score) is expected


@given(st.sampled_from(LABELS), st.floats(0.5, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_stricter_threshold_takes_claims_back_and_never_turns_them(
    label: str, score: float, one: float, other: float
) -> None:
    lax, strict = sorted((one, other))
    decisions = decide(Verdict(label, score), lax), decide(Verdict(label, score), strict)
    assert decisions[1] in (decisions[0], Decision.UNSURE)


def test_decisions_are_the_words_of_the_json() -> None:
    assert [decision.value for decision in Decision] == ["mask", "no_mask", "unsure"]
