"""Batches of scenes with the answers that are wanted, drawn anew in every epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras
import numpy as np
import numpy.typing as npt

from maskwatch_edge.finders.codes import STRIDE, BoxCode

from .config import FinderConfig
from .data import Picture
from .losses import BOXES, HEAT
from .scene import make_scene
from .targets import encode_targets

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]

LAYOUT_WEIGHTS = {"frames": 0.5, "folders": 0.35, "kaggle": 0.15}
"""How often a picture of each layout is drawn: boxes of people count more than the teacher's."""

BACKGROUND_WEIGHTS = {"frames": 0.6, "folders": 0.4, "kaggle": 0.0}
"""The same of what fills the free place of a scene: crops show nothing but a face."""

HARD_WEIGHT = 2.0
"""How often a picture with a hard face is drawn, against the others of its layout."""


class SceneBatches(keras.utils.PyDataset):  # type: ignore[misc]
    """Training batches; every epoch is another draw, and can be repeated.

    Yields float32 scenes of shape (batch, height, width, 3) in 0 to 255, and the wanted heat maps
    and boxes by the names of the network's outputs; see `Targets`.
    """

    def __init__(self, pictures: Sequence[Picture], config: FinderConfig, first_epoch: int) -> None:
        super().__init__(workers=2, use_multiprocessing=False, max_queue_size=8)
        self._pictures = pictures
        self._config = config
        self._epoch = first_epoch
        self._odds = draw_odds(pictures, LAYOUT_WEIGHTS)
        self._background_odds = draw_odds(pictures, BACKGROUND_WEIGHTS)

    def __len__(self) -> int:
        return self._config.steps

    def __getitem__(self, step: int) -> tuple[Singles, dict[str, Singles]]:
        rng = np.random.default_rng((self._config.seed, self._epoch, step))
        places = (self._config.height // STRIDE, self._config.width // STRIDE)
        scenes, targets = [], []
        for _ in range(self._config.batch_size):
            drawn, behind = self._draw(self._odds, rng), self._draw(self._background_odds, rng)
            scene, truths = make_scene(drawn, behind, self._config.size_wh, rng)
            scenes.append(scene)
            targets.append(encode_targets(truths, places, BoxCode()))
        heat = np.stack([target.heat for target in targets])
        boxes = np.stack([target.boxes for target in targets])
        return np.stack(scenes).astype(np.float32), {HEAT: heat, BOXES: boxes}

    def _draw(self, odds: Floats, rng: np.random.Generator) -> list[Picture]:
        return [self._pictures[index] for index in rng.choice(len(self._pictures), 4, p=odds)]

    def on_epoch_end(self) -> None:
        """Go on to the draw of the next epoch."""
        self._epoch += 1


def draw_odds(pictures: Sequence[Picture], layout_weights: Mapping[str, float]) -> Floats:
    """Return the probability of each picture: the weight of its layout, shared out within that."""
    layouts = np.array([picture.layout for picture in pictures])
    hard = np.array([picture.truths.hard.any() for picture in pictures])
    odds = np.where(hard, HARD_WEIGHT, 1.0)
    for layout, weight in layout_weights.items():
        members = layouts == layout
        odds[members] *= weight / max(odds[members].sum(), 1.0)
    return np.asarray(odds / odds.sum())
