"""Masks worn wrong, composed of real masks and real faces.

Real pictures of bare noses are rare in every public set. A mask is cut out of a masked face,
along a polygon between eyes and chin, and laid over an unmasked face of another person: in its
place (the person wears it), below the nose, or below the mouth (the person does not). Or a nose is
laid over a masked face. Others get a piece that changes nothing: a mask in its place, or the piece
of another mask where the nose would be. They keep the network from taking the seam itself for the
answer. All else of the picture stays as it is, for the same reason.

Who wears a mask under the nose is mostly seen from the side, while most faces of public sets look
into the camera. So faces are drawn by how far they are turned, all angles as often, and both faces
of a pair are turned alike.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
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

FARTHEST_TURN = 0.13
"""Faces are turned by so much at most; see `AlignedFace.turn`. Hardly one in a hundred is more."""

ALIKE = 24
"""A face is drawn from this many, turned about as far as is wanted."""

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

NOSE_OUTLINE = np.array(
    [[0.3, 0.0], [0.7, 0.0], [0.84, 0.06], [0.82, 0.15], [0.6, 0.18], [0.4, 0.18], [0.18, 0.15],
     [0.16, 0.06]],
    dtype=np.float32,
)  # fmt: skip
"""Edge of nose and cheeks, likewise."""

Range = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Recipe:
    """How a face is composed.

    Attributes:
        share: How many of the composed faces are made this way.
        label: What such a face counts as.
        lender: Label of the face that a piece is cut out of.
        wearer: Label of the face that it is laid over.
        outline: Edge of the piece.
        cut: Range of the height at which it is cut out, as a share of an aligned picture.
        top: Range of the height of its upper edge where it is laid; the tip of the nose is at 0.55.
        stretch: Range of its vertical stretch: a mask below the nose hangs, or is folded.
        likeness: How far its light and colour follow the wearer's skin at least, in [0, 1].
    """

    share: float
    label: str
    lender: str
    wearer: str
    outline: npt.NDArray[np.float32]
    cut: Range
    top: Range
    stretch: Range
    likeness: float = 0.0


def _mask(share: float, label: str, top: Range, stretch: Range) -> Recipe:
    return Recipe(share, label, WITH_MASK, WITHOUT_MASK, MASK_OUTLINE, CUT_TOP, top, stretch)


def _nose(share: float, label: str, lender: str) -> Recipe:
    top = (0.4, 0.43)
    return Recipe(share, label, lender, WITH_MASK, NOSE_OUTLINE, top, top, (0.95, 1.15), 0.8)


RECIPES = (
    _mask(0.3, WITH_MASK, (0.42, 0.48), (0.95, 1.1)),
    _mask(0.3, WITHOUT_MASK, (0.55, 0.63), (0.7, 1.05)),
    _mask(0.1, WITHOUT_MASK, (0.72, 0.82), (0.4, 0.8)),
    _nose(0.18, WITHOUT_MASK, WITHOUT_MASK),
    _nose(0.12, WITH_MASK, WITH_MASK),
)
"""A mask in its place, below the nose, below the mouth; a nose laid bare, or not."""


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
    faces = {label: _aligned_faces(samples, label, landmarks, count // 2, rng) for label in LABELS}
    if not all(faces.values()):
        return []
    composed = []
    for place in rng.choice(len(RECIPES), size=count, p=[recipe.share for recipe in RECIPES]):
        recipe = RECIPES[int(place)]
        wearer = draw_face(faces[recipe.wearer], rng.uniform(0, FARTHEST_TURN), rng)
        lender = facing(draw_face(faces[recipe.lender], abs(wearer.turn), rng), wearer)
        composed.append(
            _composed(wearer, lay_piece(lender, wearer, recipe, rng), recipe, input_size)
        )
    return composed


@dataclass(frozen=True, eq=False)
class AlignedFace:
    """A face, and where its eyes and mouth are.

    Attributes:
        sample: The face in its picture.
        pixels: The same with eyes and mouth at `ANCHORS`, shape (PATCH_SIZE, PATCH_SIZE, 3).
        back: Moves points of `pixels` to the sample's patch.
        turn: How far the tip of the nose is right of the middle, as a share of the width of
            `pixels`: 0 in a face that looks into the camera, about 0.13 in a half profile.
    """

    sample: Sample
    pixels: Pixels
    back: Affine
    turn: float


def lay_piece(
    lender: AlignedFace, wearer: AlignedFace, recipe: Recipe, rng: np.random.Generator
) -> Pixels:
    """Lay a piece of one face over another, in the other's picture.

    Args:
        lender: The face that it is cut out of.
        wearer: The face that it is laid over.
        recipe: What is cut out, and where it is laid.
        rng: Draws cut, height, stretch, width, tilt, softness and light.

    Returns:
        The wearer's patch, shape (PATCH_SIZE, PATCH_SIZE, 3), uint8, RGB.
    """
    move, outline = _place(recipe, lender.turn, rng)
    move = wearer.back @ np.vstack([move, (0.0, 0.0, 1.0)])
    size = (PATCH_SIZE, PATCH_SIZE)
    moved = cv2.warpAffine(lender.pixels, move, size, borderMode=cv2.BORDER_REPLICATE)
    corners = outline @ move[:, :2].T + move[:, 2]
    cover = np.zeros(size, dtype=np.float32)
    cv2.fillPoly(cover, [np.round(corners).astype(np.int32)], (1.0,))
    soft = cv2.GaussianBlur(cover, (0, 0), float(rng.uniform(0.6, 2.5)))[..., np.newaxis]
    light = _gains(lender, wearer) ** rng.uniform(recipe.likeness, 1) * rng.uniform(0.85, 1.1)
    mixed = soft * moved * light + (1 - soft) * wearer.sample.patch
    return np.asarray(np.clip(mixed, 0, 255), dtype=np.uint8)


def _place(
    recipe: Recipe, turn: float, rng: np.random.Generator
) -> tuple[Affine, npt.NDArray[np.float64]]:
    """Draw how a piece moves within an aligned picture, and the outline that it is cut out by."""
    cut, top, stretch = (rng.uniform(*each) for each in (recipe.cut, recipe.top, recipe.stretch))
    width, tilt = rng.uniform(0.92, 1.08), rng.uniform(-0.06, 0.06)
    move = np.array(
        [
            [width, 0.0, (0.5 - 0.5 * width) * PATCH_SIZE],
            [tilt, stretch, (top - cut * stretch - 0.5 * tilt) * PATCH_SIZE],
        ]
    )
    return move, (_turned(recipe.outline, turn) + np.array([0.0, cut])) * PATCH_SIZE


def _turned(outline: npt.NDArray[np.float32], turn: float) -> npt.NDArray[np.float64]:
    """Turn an outline with the head: its middle follows the nose, the far cheek comes nearer.

    The cheek that is turned to the camera reaches farther out.
    """
    far, near = -1.4 * turn, -1.3 * turn
    edges = (near, turn, far) if turn > 0 else (far, turn, near)
    shift = np.interp(outline[:, 0], (0.14, 0.5, 0.86), edges)
    return np.asarray(outline + np.stack([shift, np.zeros_like(shift)], axis=1), np.float64)


def _gains(lender: AlignedFace, wearer: AlignedFace) -> npt.NDArray[np.float64]:
    """Return how much brighter the wearer's skin is than the lender's, by colour."""
    skins = [face.pixels[UPPER_FACE].mean(axis=(0, 1)) + 1 for face in (wearer, lender)]
    return np.asarray(np.clip(skins[0] / skins[1], 0.5, 2.0))


def draw_face(faces: Sequence[AlignedFace], turn: float, rng: np.random.Generator) -> AlignedFace:
    """Draw a face that is turned about so far.

    Args:
        faces: Sorted by how far they are turned to either side; not empty.
        turn: See `AlignedFace.turn`, to either side, 0 or more.
        rng: Source of the draw.

    Returns:
        One of the `ALIKE` faces about the place of the turn among them.
    """
    place = bisect_left(faces, turn, key=_turn_to_a_side)
    first = min(max(place - ALIKE // 2, 0), max(len(faces) - ALIKE, 0))
    return faces[int(rng.integers(first, min(first + ALIKE, len(faces))))]


def _turn_to_a_side(face: AlignedFace) -> float:
    return abs(face.turn)


def facing(lender: AlignedFace, wearer: AlignedFace) -> AlignedFace:
    """Mirror the aligned picture of a face if the other one looks to the other side."""
    if lender.turn * wearer.turn >= 0:
        return lender
    return replace(lender, pixels=np.ascontiguousarray(lender.pixels[:, ::-1]), turn=-lender.turn)


def _composed(wearer: AlignedFace, patch: Pixels, recipe: Recipe, input_size: int) -> Sample:
    worn_wrong = recipe.label == WITHOUT_MASK
    face = LabelledFace(Path("composed"), recipe.label, "composed", worn_wrong=worn_wrong)
    inner = wearer.sample.inner
    crop = resized(_with_margin(patch, inner), input_size)
    return Sample(patch, inner, crop, face, LABELS.index(recipe.label))


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
    aligned = (align(members[int(index)], landmarks) for index in order)
    return sorted((face for face in aligned if face is not None), key=_turn_to_a_side)


def _serves(sample: Sample) -> bool:
    box = sample.face.box
    return not sample.face.worn_wrong and (box is None or box.size >= MIN_COMPOSED_SIZE)


def align(sample: Sample, landmarks: LandmarkFinder) -> AlignedFace | None:
    """Turn and scale a face so that eyes and mouth are where they are in all; None if unseen."""
    found = landmarks.find_largest(sample.patch)
    if found is None:
        return None
    points = found.points
    anchors = np.stack([points[0], points[1], points[3:5].mean(axis=0)])
    transform = _similarity(anchors, ANCHORS * PATCH_SIZE)
    size = (PATCH_SIZE, PATCH_SIZE)
    pixels = cv2.warpAffine(sample.patch, transform, size, borderMode=cv2.BORDER_REPLICATE)
    back = np.asarray(cv2.invertAffineTransform(transform), dtype=np.float64)
    nose = transform[:, :2] @ points[2] + transform[:, 2]
    return AlignedFace(sample, np.asarray(pixels), back, float(nose[0]) / PATCH_SIZE - 0.5)


def _similarity(points: npt.NDArray[np.float32], wanted: npt.NDArray[np.float32]) -> Affine:
    """Turn, scale and shift points, shape (n, 2), so that their squared distances are least.

    OpenCV's estimators leave out what fits badly, which of a turned face is an eye or the mouth.
    """
    x, y = points.T
    zero, one = np.zeros_like(x), np.ones_like(x)
    rows = np.concatenate([np.stack([x, -y, one, zero], 1), np.stack([y, x, zero, one], 1)])
    a, b, right, down = np.linalg.lstsq(rows, wanted.T.ravel(), rcond=None)[0]
    return np.array([[a, -b, right], [b, a, down]])
