"""What is said of one person: the vote over a window, and the state machine that follows it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from .config import DecisionConfig
from .contract import WITH_MASK
from .verdict import Decision, Verdict

MIN_VOTES = 3
"""The newest votes count even if the window has passed, as with a slow finder."""

MAX_VOTES = 256
"""Bound of memory: 8 seconds at 30 frames a second."""


@dataclass(frozen=True)
class Stance:
    """What is said of one person, and what the votes lean to: the state machine of a track.

    | told    | leaning to | what happens                               |
    |---------|------------|--------------------------------------------|
    | nothing | a claim    | it is told at once                         |
    | nothing | unsure     | it is told after `hold_seconds`            |
    | X       | X          | nothing                                    |
    | X       | Y          | Y is told once it has lasted `hold_seconds` |

    The votes lean to a claim (mask, no mask) from `min_score` on, and away from it again below
    `leave_score`. Between two things told there is never less than `hold_seconds`.

    Attributes:
        since_seconds: Since when the votes lean to it without a break.
        leaning: What the votes lean to.
        told: What is said; None as long as nothing is.
    """

    since_seconds: float
    leaning: Decision = Decision.UNSURE
    told: Decision | None = None

    def after(self, mask_share: float, now_seconds: float, config: DecisionConfig) -> Stance:
        """Return the stance after one more look at the person.

        Args:
            mask_share: The votes' mean probability of a mask, in [0, 1].
            now_seconds: When; not before the look before.
            config: Thresholds and times.
        """
        leaning = self._lean(mask_share, config)
        since = self.since_seconds if leaning is self.leaning else now_seconds
        is_first_claim = self.told is None and leaning is not Decision.UNSURE
        is_due = is_first_claim or now_seconds - since >= config.hold_seconds
        return Stance(since, leaning, leaning if is_due else self.told)

    def resumed(self, now_seconds: float) -> Stance:
        """Return the stance after a pause: what is told stays, what was about to be is void."""
        return Stance(now_seconds, self.told or Decision.UNSURE, self.told)

    def _lean(self, mask_share: float, config: DecisionConfig) -> Decision:
        shares = {Decision.MASK: mask_share, Decision.NO_MASK: 1.0 - mask_share}
        # What is told comes first: a short doubt that has gone again must not replace it.
        for claim in (self.told, self.leaning):
            if claim in shares and shares[claim] >= config.leave_score:
                return claim
        best = max(shares, key=lambda claim: shares[claim])
        return best if shares[best] >= config.min_score else Decision.UNSURE


def mask_probability(verdict: Verdict) -> float:
    """Return the probability of a mask, in [0, 1], whichever label the model gave."""
    return verdict.score if verdict.label == WITH_MASK else 1.0 - verdict.score


class Votes:
    """The votes of one person in a sliding window.

    Each look says the same much. Weight on the newest would make one blurred picture count for
    more, and the window already bounds how old a vote may be.

    Args:
        window_seconds: Older votes do not count, but never fewer than `MIN_VOTES` do if there are
            so many.
    """

    def __init__(self, window_seconds: float) -> None:
        self._window_seconds = window_seconds
        self._votes: deque[tuple[float, float]] = deque(maxlen=MAX_VOTES)

    def __len__(self) -> int:
        return len(self._votes)

    def add(self, mask_probability: float, now_seconds: float) -> float:
        """Count one more vote, in [0, 1], and return the mean of those that count now."""
        self._votes.append((now_seconds, mask_probability))
        begin = now_seconds - self._window_seconds
        while len(self._votes) > MIN_VOTES and self._votes[0][0] <= begin:
            self._votes.popleft()
        return sum(share for _, share in self._votes) / len(self._votes)
