"""What is said of one person: a list of votes in, what is told out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwatch_edge.config import DecisionConfig
from maskwatch_edge.contract import WITH_MASK, WITHOUT_MASK
from maskwatch_edge.stance import MAX_VOTES, MIN_VOTES, Stance, Votes, mask_probability
from maskwatch_edge.verdict import Decision, Verdict

MASK, NO_MASK, UNSURE = Decision.MASK, Decision.NO_MASK, Decision.UNSURE
CONFIG = DecisionConfig(min_score=0.8, leave_score=0.65, hold_seconds=1.0)


def told(shares: list[float], config: DecisionConfig = CONFIG) -> list[Decision | None]:
    """Give what is told after each look, two looks a second."""
    stance, after = Stance(0.0), []
    for number, share in enumerate(shares):
        stance = stance.after(share, number / 2, config)
        after.append(stance.told)
    return after


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        # the first claim is told at once
        ([0.8], [MASK]),
        ([0.2], [NO_MASK]),
        # a doubt only when it has lasted
        ([0.79, 0.5, 0.5], [None, None, UNSURE]),
        ([0.5, 0.5, 0.9], [None, None, MASK]),
        # the lower threshold keeps a claim, and is not enough for one
        ([0.9, 0.65, 0.65, 0.65, 0.65], [MASK] * 5),
        ([0.65, 0.65, 0.65], [None, None, UNSURE]),
        ([0.1, 0.35, 0.35, 0.35, 0.35], [NO_MASK] * 5),
        # below it, doubt is told when it has lasted
        ([0.9, 0.64, 0.64, 0.64], [MASK, MASK, MASK, UNSURE]),
        # the other claim, too
        ([0.9, 0.0, 0.0, 0.0], [MASK, MASK, MASK, NO_MASK]),
        # on the way from one to the other the doubt is not told, and does not count
        ([0.9, 0.5, 0.1, 0.1, 0.1], [MASK, MASK, MASK, MASK, NO_MASK]),
        # what has gone again starts anew
        ([0.9, 0.0, 0.0, 0.9, 0.0, 0.0, 0.0], [MASK] * 6 + [NO_MASK]),
        # what is told comes before what was about to be
        ([0.9, 0.0, 0.7, 0.7, 0.7], [MASK] * 5),
        # out of a doubt into a claim
        ([0.5, 0.5, 0.5, 0.9, 0.9, 0.9], [None, None, UNSURE, UNSURE, UNSURE, MASK]),
        # the lower threshold holds for what is about to be told, too
        ([0.5, 0.5, 0.5, 0.9, 0.7, 0.7], [None, None, UNSURE, UNSURE, UNSURE, MASK]),
    ],
)
def test_a_list_of_votes_leads_to_what_is_told(
    shares: list[float], expected: list[Decision | None]
) -> None:
    assert told(shares) == expected


def test_without_a_hold_time_each_change_is_told_at_once() -> None:
    config = DecisionConfig(hold_seconds=0.0)
    assert told([0.9, 0.5, 0.1, 0.5], config) == [MASK, UNSURE, NO_MASK, UNSURE]


def test_after_a_pause_what_was_about_to_be_told_is_void() -> None:
    about = Stance(0.0, NO_MASK, MASK)
    assert about.after(0.0, 1.0, CONFIG).told is NO_MASK
    resumed = about.resumed(1.0)
    assert resumed == Stance(1.0, MASK, MASK)
    assert resumed.after(0.0, 1.0, CONFIG).told is MASK
    assert Stance(0.0, MASK).resumed(1.0) == Stance(1.0)


shares = st.floats(0.0, 1.0)
steps = st.floats(0.0, 1.5)


@given(st.lists(st.tuples(steps, shares), max_size=60))
def test_between_two_things_told_there_is_the_hold_time(looks: list[tuple[float, float]]) -> None:
    stance, now, told_seconds = Stance(0.0), 0.0, -1.0
    for step, share in looks:
        now += step
        before, stance = stance, stance.after(share, now, CONFIG)
        if stance.told is not before.told:
            assert before.told is None or now - told_seconds >= CONFIG.hold_seconds
            told_seconds = now
        assert before.told is None or stance.told is not None


@given(st.lists(st.tuples(steps, st.floats(0.65, 0.7999)), max_size=60))
def test_noise_between_the_thresholds_changes_nothing(looks: list[tuple[float, float]]) -> None:
    for first, expected in ((0.9, {MASK}), (0.7, {None, UNSURE}), (0.1, {NO_MASK, UNSURE})):
        stance, now, changes = Stance(0.0).after(first, 0.0, CONFIG), 0.0, 0
        for step, share in looks:
            now += step
            before, stance = stance, stance.after(share, now, CONFIG)
            changes += stance.told is not before.told
            assert stance.told in expected
        assert changes <= 1


@pytest.mark.parametrize(
    ("verdict", "probability"),
    [(Verdict(WITH_MASK, 0.75), 0.75), (Verdict(WITHOUT_MASK, 0.75), 0.25)],
)
def test_a_verdict_is_a_probability_of_a_mask(verdict: Verdict, probability: float) -> None:
    assert mask_probability(verdict) == probability


@pytest.mark.parametrize(
    ("looks", "mean"),
    [
        ([(0.0, 1.0)], 1.0),
        ([(0.0, 1.0), (0.1, 0.0)], 0.5),
        # the window slides: at 1.3 s the votes of 0 s and 0.2 s count no longer
        ([(0.0, 1.0), (0.2, 1.0), (0.4, 0.0), (0.6, 0.0), (0.8, 0.0), (1.3, 0.0)], 0.0),
        ([(0.0, 1.0), (0.3, 1.0), (0.6, 1.0), (0.9, 0.0), (1.2, 0.0)], 0.5),
        # with two seconds between the looks the newest three count all the same
        ([(0.0, 1.0), (2.0, 1.0), (4.0, 0.0), (6.0, 0.5)], 0.5),
    ],
)
def test_votes_are_a_plain_mean_over_the_window(
    looks: list[tuple[float, float]], mean: float
) -> None:
    votes = Votes(window_seconds=1.0)
    assert [votes.add(share, now) for now, share in looks][-1] == pytest.approx(mean)


@given(st.lists(st.tuples(steps, shares), min_size=1, max_size=60), st.floats(0.0, 3.0))
def test_votes_count_by_their_age_and_number_alone(
    looks: list[tuple[float, float]], window_seconds: float
) -> None:
    votes, now, all_votes = Votes(window_seconds), 0.0, []
    for step, share in looks:
        now += step
        all_votes.append((now, share))
        mean = votes.add(share, now)
    within = [share for at, share in all_votes if at > now - window_seconds]
    newest = [share for _, share in all_votes[-MIN_VOTES:]]
    counting = max(within, newest, key=len)
    assert len(votes) == len(counting)
    assert mean == pytest.approx(sum(counting) / len(counting))


def test_votes_are_bounded_whatever_the_window() -> None:
    votes = Votes(window_seconds=1e9)
    for number in range(2 * MAX_VOTES):
        votes.add(1.0, float(number))
    assert len(votes) == MAX_VOTES
