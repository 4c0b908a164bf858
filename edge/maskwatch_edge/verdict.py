"""What was seen, and what is said about it. Scoring and deciding are kept apart."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .boxes import FaceBox
from .contract import WITH_MASK


class Decision(StrEnum):
    """What Maskwatch says about one face."""

    MASK = "mask"
    NO_MASK = "no_mask"
    UNSURE = "unsure"


@dataclass(frozen=True)
class Verdict:
    """The model's answer about one face.

    Attributes:
        label: The most likely label, one of `contract.LABELS`.
        score: Its probability, in [0.5, 1].
    """

    label: str
    score: float


@dataclass(frozen=True)
class Sighting:
    """One face in one frame: where it is, what the model answers, what is said of it."""

    box: FaceBox
    verdict: Verdict
    decision: Decision


def decide(verdict: Verdict, min_score: float) -> Decision:
    """Turn a score into a decision: below `min_score`, in [0, 1], nothing is claimed."""
    if verdict.score < min_score:
        return Decision.UNSURE
    return Decision.MASK if verdict.label == WITH_MASK else Decision.NO_MASK
