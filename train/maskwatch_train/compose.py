"""Masks worn wrong, composed: real masks moved onto real faces.

Real pictures of bare noses are rare in every public set. A mask is cut out of a masked face,
along a polygon between eyes and chin, and laid over an unmasked face of another person: in its
place (the person wears it), below the nose, or below the mouth (the person does not). The first
kind keeps the network from taking the seam itself for the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from maskwatch_edge.classifier import resized
from maskwatch_edge.contract import LABELS, WITH_MASK, WITHOUT_MASK
from maskwatch_edge.dataset import LabelledFace
from maskwatch_edge.frame import Pixels

from .landmarks import LandmarkFinder
from .samples import PATCH_SIZE, Sample

ANCHORS = np.array([[0.33, 0.36], [0.67, 0.36], [0.5, 0.68]], dtype=np.float32)
"""Right eye, left eye and middle of the mouth in an aligned face, as shares of its sides."""

INNER = (0.12, 0.08, 0.88, 0.94)
"""Edges of the face in an aligned picture, as shares."""

CUT_TOP = (0.44, 0.52)
"""Range of the height at which masks are cut out: their own upper edges differ as much."""

MASK_OUTLINE = np.array(
    [
        [0.5, 0.0], [0.66, 0.03], [0.86, 0.06], [0.84, 0.26], [0.7, 0.42],
        [0.5, 0.49], [0.3, 0.42], [0.16, 0.26], [0.14, 0.06], [0.34, 0.03],
    ],
    dtype=np.float32,
)  # fmt: skip
"""Edge of a mask in an aligned picture, as shares; its highest point is at 0."""


@dataclass(frozen=True)
class Wearing:
    """How a mask sits.

    Attributes:
        label: What the face then counts as.
        share: How many of the composed faces show it.
        top: Range of the height of its upper edge; the tip of the nose is at 0.55.
        stretch: Range of its vertical stretch: a mask below the nose hangs, or is folded.
    """

    label: str
    share: float
    top: tuple[float, float]
    stretch: tuple[float, float]


WEARINGS = (
    Wearing(WITH_MASK, 0.42, (0.42, 0.48), (0.95, 1.1)),
    Wearing(WITHOUT_MASK, 0.43, (0.555, 0.63), (0.7, 1.05)),
    Wearing(WITHOUT_MASK, 0.15, (0.72, 0.82), (0.4, 0.8)),
)
"""Right, below the nose, below the mouth."""


def compose_samples(
    samples: Sequence[Sample],
    landmarks: LandmarkFinder,
    *,
    count: int,
    input_size: int,
    rng: np.random.Generator,
) -> list[Sample]:
    """Compose `count` faces from the samples of one split.

    Args:
        samples: Faces with and without masks; only whole-picture crops are used.
        landmarks: Finds eyes and mouth.
        count: How many to make; more than half of them show a mask worn wrong.
        input_size: Side of the model's input in pixels.
        rng: Decides who lends a mask to whom, and how it sits.
    """
    crops = [sample for sample in samples if sample.face.box is None]
    lenders = _aligned_faces(crops, WITH_MASK, landmarks, count // 2, rng)
    wearers = _aligned_faces(crops, WITHOUT_MASK, landmarks, count // 2, rng)
    if not lenders or not wearers:
        return []
    shares = [wearing.share for wearing in WEARINGS]
    composed = []
    for _ in range(count):
        wearing = WEARINGS[int(rng.choice(len(WEARINGS), p=shares))]
        lender = lenders[int(rng.integers(len(lenders)))]
        wearer = wearers[int(rng.integers(len(wearers)))]
        patch = lay_mask(lender, wearer, wearing, rng)
        face = LabelledFace(
            Path("composed"),
            wearing.label,
            "composed",
            worn_wrong=wearing.label == WITHOUT_MASK,
        )
        index = LABELS.index(wearing.label)
        composed.append(Sample(patch, INNER, resized(patch, input_size), face, index))
    return composed


def lay_mask(lender: Pixels, wearer: Pixels, wearing: Wearing, rng: np.random.Generator) -> Pixels:
    """Lay the mask of one aligned face over another.

    Args:
        lender: Aligned masked face, shape (PATCH_SIZE, PATCH_SIZE, 3), uint8, RGB.
        wearer: Aligned unmasked face of the same shape.
        wearing: How the mask sits.
        rng: Draws cut, height, stretch, width, tilt and light.
    """
    cut, top, stretch = (rng.uniform(*each) for each in (CUT_TOP, wearing.top, wearing.stretch))
    width, tilt = rng.uniform(0.92, 1.08), rng.uniform(-0.06, 0.06)
    move = np.array(
        [
            [width, 0.0, (0.5 - 0.5 * width) * PATCH_SIZE],
            [tilt, stretch, (top - cut * stretch - 0.5 * tilt) * PATCH_SIZE],
        ],
        dtype=np.float32,
    )
    size = (PATCH_SIZE, PATCH_SIZE)
    moved = cv2.warpAffine(lender, move, size, borderMode=cv2.BORDER_REPLICATE)
    outline = ((MASK_OUTLINE + np.array([0.0, cut])) * PATCH_SIZE) @ move[:, :2].T + move[:, 2]
    cover = np.zeros(size, dtype=np.float32)
    cv2.fillPoly(cover, [np.round(outline).astype(np.int32)], (1.0,))
    soft = cv2.GaussianBlur(cover, (0, 0), float(rng.uniform(0.8, 2.5)))[..., np.newaxis]
    mixed = soft * moved * rng.uniform(0.8, 1.1) + (1 - soft) * wearer
    return np.clip(mixed, 0, 255).astype(np.uint8)


def _aligned_faces(
    samples: Sequence[Sample],
    label: str,
    landmarks: LandmarkFinder,
    count: int,
    rng: np.random.Generator,
) -> list[Pixels]:
    members = [sample for sample in samples if sample.face.label == label]
    order = rng.permutation(len(members))[:count]
    aligned = (_align(members[int(index)].patch, landmarks) for index in order)
    return [patch for patch in aligned if patch is not None]


def _align(patch: Pixels, landmarks: LandmarkFinder) -> Pixels | None:
    found = landmarks.find_largest(patch)
    if found is None:
        return None
    points = found.points
    anchors = np.stack([points[0], points[1], points[3:5].mean(axis=0)])
    transform = _similarity(anchors, ANCHORS * PATCH_SIZE)
    if transform is None:
        return None
    size = (PATCH_SIZE, PATCH_SIZE)
    return np.asarray(cv2.warpAffine(patch, transform, size, borderMode=cv2.BORDER_REPLICATE))


def _similarity(
    source: npt.NDArray[np.float32], target: npt.NDArray[np.float32]
) -> npt.NDArray[np.float64] | None:
    transform, _ = cv2.estimateAffinePartial2D(source, target, method=cv2.LMEDS)
    return None if transform is None else np.asarray(transform)
