"""Masks worn wrong, composed: real masks moved onto real faces.

Real pictures of bare noses are rare in every public set. A mask is cut out of a masked face,
along a polygon between eyes and chin, and laid over an unmasked face of another person: in its
place (the person wears it), below the nose, or below the mouth (the person does not). The first
kind keeps the network from taking the seam itself for the answer. All else of the wearer's picture
stays as it is, so that nothing but the mask tells a composed face from others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.classifier import resized
from maskwatch_edge.contract import FACE_MARGIN, LABELS, WITH_MASK, WITHOUT_MASK
from maskwatch_edge.dataset import LabelledFace
from maskwatch_edge.frame import Pixels

from .landmarks import LandmarkFinder
from .samples import PATCH_SIZE, Sample

Affine = npt.NDArray[np.float64]
"""Moves points of one picture to another, shape (2, 3), in pixels."""

ANCHORS = np.array([[0.33, 0.36], [0.67, 0.36], [0.5, 0.68]], dtype=np.float32)
"""Right eye, left eye and middle of the mouth in an aligned face, as shares of its sides."""

UPPER_FACE = (slice(44, 70), slice(44, 132))
"""Rows and columns of an aligned face, in pixels, that hold eyes and skin, and no mask."""

MIN_COMPOSED_SIZE = 48
"""Faces of frames that are smaller, in pixels, are neither cut from nor laid upon."""

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
        samples: Faces with and without masks.
        landmarks: Finds eyes and mouth.
        count: How many to make; more than half of them show a mask worn wrong.
        input_size: Side of the model's input in pixels.
        rng: Decides who lends a mask to whom, and how it sits.
    """
    lenders = _aligned_faces(samples, WITH_MASK, landmarks, count // 2, rng)
    wearers = _aligned_faces(samples, WITHOUT_MASK, landmarks, count // 2, rng)
    if not lenders or not wearers:
        return []
    shares = [wearing.share for wearing in WEARINGS]
    composed = []
    for _ in range(count):
        wearing = WEARINGS[int(rng.choice(len(WEARINGS), p=shares))]
        lender = lenders[int(rng.integers(len(lenders)))]
        wearer = wearers[int(rng.integers(len(wearers)))]
        patch = lay_mask(lender, wearer, wearing, rng)
        composed.append(_composed(wearer, patch, wearing, input_size))
    return composed


@dataclass(frozen=True, eq=False)
class AlignedFace:
    """A face, and where its eyes and mouth are.

    Attributes:
        sample: The face in its picture.
        pixels: The same with eyes and mouth at `ANCHORS`, shape (PATCH_SIZE, PATCH_SIZE, 3).
        back: Moves points of `pixels` to the sample's patch.
    """

    sample: Sample
    pixels: Pixels
    back: Affine


def lay_mask(
    lender: AlignedFace, wearer: AlignedFace, wearing: Wearing, rng: np.random.Generator
) -> Pixels:
    """Lay the mask of one face over another, in the other's picture.

    Args:
        lender: A masked face.
        wearer: An unmasked face.
        wearing: How the mask sits.
        rng: Draws cut, height, stretch, width, tilt, softness and light.

    Returns:
        The wearer's patch, shape (PATCH_SIZE, PATCH_SIZE, 3), uint8, RGB.
    """
    move, outline = _place_mask(wearing, rng)
    move = wearer.back @ np.vstack([move, (0.0, 0.0, 1.0)])
    size = (PATCH_SIZE, PATCH_SIZE)
    moved = cv2.warpAffine(lender.pixels, move, size, borderMode=cv2.BORDER_REPLICATE)
    corners = outline @ move[:, :2].T + move[:, 2]
    cover = np.zeros(size, dtype=np.float32)
    cv2.fillPoly(cover, [np.round(corners).astype(np.int32)], (1.0,))
    soft = cv2.GaussianBlur(cover, (0, 0), float(rng.uniform(0.6, 2.5)))[..., np.newaxis]
    light = _gain(lender, wearer) ** rng.uniform(0, 1) * rng.uniform(0.85, 1.1)
    mixed = soft * moved * light + (1 - soft) * wearer.sample.patch
    return np.asarray(np.clip(mixed, 0, 255), dtype=np.uint8)


def _place_mask(
    wearing: Wearing, rng: np.random.Generator
) -> tuple[Affine, npt.NDArray[np.float64]]:
    """Draw how a mask moves within an aligned picture, and the outline that it is cut out by."""
    cut, top, stretch = (rng.uniform(*each) for each in (CUT_TOP, wearing.top, wearing.stretch))
    width, tilt = rng.uniform(0.92, 1.08), rng.uniform(-0.06, 0.06)
    move = np.array(
        [
            [width, 0.0, (0.5 - 0.5 * width) * PATCH_SIZE],
            [tilt, stretch, (top - cut * stretch - 0.5 * tilt) * PATCH_SIZE],
        ]
    )
    return move, (MASK_OUTLINE + np.array([0.0, cut])) * PATCH_SIZE


def _gain(lender: AlignedFace, wearer: AlignedFace) -> float:
    """Return how much brighter the wearer's skin is than the lender's."""
    ratio = (wearer.pixels[UPPER_FACE].mean() + 1) / (lender.pixels[UPPER_FACE].mean() + 1)
    return float(np.clip(ratio, 0.5, 2.0))


def _composed(wearer: AlignedFace, patch: Pixels, wearing: Wearing, input_size: int) -> Sample:
    worn_wrong = wearing.label == WITHOUT_MASK
    face = LabelledFace(Path("composed"), wearing.label, "composed", worn_wrong=worn_wrong)
    inner = wearer.sample.inner
    crop = resized(_with_margin(patch, inner), input_size)
    return Sample(patch, inner, crop, face, LABELS.index(wearing.label))


def _with_margin(patch: Pixels, inner: tuple[float, float, float, float]) -> Pixels:
    x1, y1, x2, y2 = (round(edge * PATCH_SIZE) for edge in inner)
    box = FaceBox(x1, y1, x2, y2).expanded(FACE_MARGIN).clipped(PATCH_SIZE, PATCH_SIZE)
    assert box, "a face lies in its own patch"
    return np.asarray(patch[box.y1 : box.y2, box.x1 : box.x2])


def _aligned_faces(
    samples: Sequence[Sample],
    label: str,
    landmarks: LandmarkFinder,
    count: int,
    rng: np.random.Generator,
) -> list[AlignedFace]:
    members = [sample for sample in samples if sample.face.label == label and _serves(sample)]
    order = rng.permutation(len(members))[:count]
    aligned = (_align(members[int(index)], landmarks) for index in order)
    return [face for face in aligned if face is not None]


def _serves(sample: Sample) -> bool:
    box = sample.face.box
    return not sample.face.worn_wrong and (box is None or box.size >= MIN_COMPOSED_SIZE)


def _align(sample: Sample, landmarks: LandmarkFinder) -> AlignedFace | None:
    found = landmarks.find_largest(sample.patch)
    if found is None:
        return None
    points = found.points
    anchors = np.stack([points[0], points[1], points[3:5].mean(axis=0)])
    transform, _ = cv2.estimateAffinePartial2D(anchors, ANCHORS * PATCH_SIZE, method=cv2.LMEDS)
    if transform is None:
        return None
    size = (PATCH_SIZE, PATCH_SIZE)
    pixels = cv2.warpAffine(sample.patch, transform, size, borderMode=cv2.BORDER_REPLICATE)
    back = np.asarray(cv2.invertAffineTransform(transform), dtype=np.float64)
    return AlignedFace(sample, np.asarray(pixels), back)
