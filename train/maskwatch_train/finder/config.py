"""What a training of the finder is started with."""

from __future__ import annotations

from dataclasses import dataclass

from maskwatch_train.config import CommonConfig

EXPANSION = 6.0
"""Channels inside a block of MobileNetV2 for each that it takes."""


@dataclass(frozen=True)
class FinderConfig(CommonConfig):
    """All that decides the outcome of a training of the finder beside the data.

    Attributes:
        width: Width of the input in pixels.
        height: Height of the input in pixels.
        expansion: Channels inside the blocks of MobileNetV2 for each that they take, at most
            `EXPANSION`.
        channels: Channels of the layers that are added to it.
        batch_size: Scenes a step.
        epochs: How often a checkpoint is written.
        steps: Batches an epoch.
        rate: Highest learning rate; reached after a warm-up, falls to zero along a cosine.
        frozen_blocks: Blocks of the backbone that are never trained.
    """

    width: int = 320
    height: int = 256
    expansion: float = EXPANSION
    channels: int = 96
    batch_size: int = 16
    epochs: int = 30
    steps: int = 100
    rate: float = 1e-3
    frozen_blocks: int = 1

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height of the input in pixels."""
        return self.width, self.height
