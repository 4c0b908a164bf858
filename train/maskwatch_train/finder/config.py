"""What a training of the finder is started with."""

from __future__ import annotations

from dataclasses import dataclass

EXPANSION = 6.0
"""Channels inside a block of MobileNetV2 for each that it takes."""


@dataclass(frozen=True)
class FinderConfig:
    """All that decides the outcome of a training beside the data.

    Attributes:
        width: Width of the input in pixels.
        height: Height of the input in pixels.
        alpha: Width of MobileNetV2.
        expansion: Channels inside its blocks for each that they take, at most `EXPANSION`.
        channels: Channels of the layers that are added to it.
        weights: "imagenet", "none", or a `.weights.h5` file of the backbone.
        seed: Start of every random draw.
        batch_size: Scenes a step.
        epochs: How often a checkpoint is written.
        steps: Batches an epoch.
        rate: Highest learning rate; reached after a warm-up, falls to zero along a cosine.
        frozen_blocks: Blocks of the backbone that are never trained.
        test_share: Share of unpublished data that is scored at the end.
        fold: Which share that is, counted from 0.
        validation_share: Share that is scored after every epoch.
    """

    width: int = 320
    height: int = 256
    alpha: float = 1.0
    expansion: float = EXPANSION
    channels: int = 96
    weights: str = "imagenet"
    seed: int = 1
    batch_size: int = 16
    epochs: int = 30
    steps: int = 100
    rate: float = 1e-3
    frozen_blocks: int = 1
    test_share: float = 0.2
    fold: int = 0
    validation_share: float = 0.05

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height of the input in pixels."""
        return self.width, self.height
