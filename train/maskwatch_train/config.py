"""What a training is started with: what all of them are, and what that of the mask network is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HEAD, FINE_TUNE = "head", "fine-tune"
STAGES = (HEAD, FINE_TUNE)

AFTER_TRAINING = ("start_share",)
"""What changes nothing of what is learned: a run may be resumed with another one."""


@dataclass(frozen=True)
class CommonConfig:
    """What decides the outcome of every training beside the data.

    Attributes:
        alpha: Width of MobileNetV2.
        weights: "imagenet", "none", a `.weights.h5` file of the backbone, or the `.keras` file of
            an earlier run to go on from.
        seed: Start of every random draw.
        test_share: Share of unpublished data that is scored at the end.
        fold: Which share that is, counted from 0.
        validation_share: Share that is scored after every epoch.
    """

    alpha: float = 1.0
    weights: str = "imagenet"
    seed: int = 1
    test_share: float = 0.2
    fold: int = 0
    validation_share: float = 0.05

    @property
    def earlier_network(self) -> Path | None:
        """The network of an earlier run that this one goes on from, if it does."""
        return Path(self.weights) if names_network(self.weights) else None


def names_network(weights: str) -> bool:
    """Tell whether `CommonConfig.weights` is the network of an earlier run."""
    return weights.endswith(".keras")


@dataclass(frozen=True)
class TrainingConfig(CommonConfig):
    """All that decides the outcome of a training of the mask network.

    Attributes:
        size: Side of the input in pixels.
        head: "flatten" or "gap".
        weights: As in `CommonConfig`; an earlier run's wider network is narrowed.
        batch_size: Faces a step.
        head_epochs: Epochs of the first stage, backbone frozen.
        epochs: Epochs of the second stage at the most.
        head_rate: Learning rate of the first stage.
        rate: Learning rate at the start of the second stage; falls to zero along a cosine.
        frozen_blocks: Blocks of the backbone that are never trained.
        patience: Epochs without a better validation loss after which training stops.
        frame_repeats: How often an epoch shows a face of an annotated frame.
        worn_wrong_repeats: How much more often it shows one with a mask worn wrong.
        teacher: SHA-256 of the network whose answers are learned beside the labels, or "".
        dropout: Share of the head's inputs that are dropped in each step.
        composed: Faces with composed masks that are added to the training split.
        start_share: Share of the earlier run's weights in the mean that is kept at the end.
        validation_share: Share that chooses the epoch.
    """

    size: int = 128
    head: str = "flatten"
    batch_size: int = 32
    head_epochs: int = 1
    epochs: int = 12
    head_rate: float = 1e-3
    rate: float = 1e-4
    frozen_blocks: int = 3
    patience: int = 4
    frame_repeats: int = 3
    worn_wrong_repeats: int = 3
    teacher: str = ""
    dropout: float = 0.3
    composed: int = 0
    start_share: float = 0.0

    def stage_epochs(self, stage: str) -> int:
        """Epochs of a stage at the most."""
        return self.head_epochs if stage == HEAD else self.epochs
