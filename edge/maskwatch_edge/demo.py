"""The demonstration clip: two public-domain portraits, with drawn-on masks coming and going.

The portraits ship inside well-kept packages: NASA's photograph of Eileen Collins in scikit-image
and the U.S. Navy's of Grace Hopper in matplotlib.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from .command import need
from .frame import Pixels
from .pictures import read_picture
from .video import VideoWriter

FRAMES_PER_SECOND = 12.5
SECONDS = 12.0
PANEL_WIDTH, PANEL_HEIGHT = 320, 480
FADE_SECONDS = 0.4

# Right eye, left eye and middle of the mouth in an aligned face, then the outline of a mask.
ANCHORS = np.array([[0.33, 0.36], [0.67, 0.36], [0.5, 0.68]], dtype=np.float32)
OUTLINE = np.array(
    [
        [0.5, 0.45], [0.64, 0.49], [0.84, 0.53], [0.82, 0.7], [0.7, 0.87],
        [0.5, 0.95], [0.3, 0.87], [0.18, 0.7], [0.16, 0.53], [0.36, 0.49],
    ],
    dtype=np.float32,
)  # fmt: skip
PLEATS = np.array([[[0.2, y], [0.5, y + 0.03], [0.8, y]] for y in (0.6, 0.68, 0.76)], np.float32)
STRAPS = np.array(
    [[[0.16, 0.53], [0.1, 0.45]], [[0.84, 0.53], [0.9, 0.45]], [[0.2, 0.74], [0.1, 0.65]],
     [[0.8, 0.74], [0.9, 0.65]]],
    dtype=np.float32,
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Actor:
    """One person of the clip.

    Attributes:
        portrait: Picture, shape (height, width, 3), uint8, RGB.
        corner: Left and upper edge of the part that is shown, in pixels of the portrait.
        scale: Panel pixels for one pixel of the portrait.
        anchors: Right eye, left eye and middle of the mouth, in pixels of the portrait.
        colour: Of the mask, RGB.
        masked: When the mask is worn: from and to, in seconds.
    """

    portrait: Pixels
    corner: tuple[float, float]
    scale: float
    anchors: npt.NDArray[np.float32]
    colour: tuple[int, int, int]
    masked: tuple[float, float]


def write_clip(path: Path) -> int:
    """Write the clip as an MP4 file and return the number of its frames.

    Raises:
        MissingExtraError: If scikit-image or matplotlib is not installed.
        OutputError: If the file cannot be written.
    """
    frames = 0
    with VideoWriter(path, FRAMES_PER_SECOND) as writer:
        for pixels in clip_frames():
            writer.write(pixels)
            frames += 1
    return frames


def clip_frames() -> Iterator[Pixels]:
    """Draw the frames of the clip one by one, each of shape (480, 640, 3), uint8, RGB."""
    actors = _actors()
    rng = np.random.default_rng(1)
    for number in range(round(SECONDS * FRAMES_PER_SECOND)):
        seconds = number / FRAMES_PER_SECOND
        panels = [_panel(actor, seconds, place) for place, actor in enumerate(actors)]
        noise = 3 * rng.standard_normal((PANEL_HEIGHT, 2 * PANEL_WIDTH, 3), dtype=np.float32)
        yield np.clip(np.hstack(panels) + noise, 0, 255).astype(np.uint8)


def _actors() -> list[Actor]:
    need("skimage", "scikit-image", "demo")
    need("matplotlib", "matplotlib", "demo")
    import matplotlib.cbook
    import skimage.data

    collins = np.asarray(skimage.data.astronaut(), dtype=np.uint8)
    path = matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)
    hopper = read_picture(Path(str(path)))
    collins_anchors = np.array([[200.1, 101.8], [247.1, 102.6], [219.1, 143.2]], np.float32)
    hopper_anchors = np.array([[227.1, 193.3], [307.8, 195.4], [265.3, 268.7]], np.float32)
    return [
        Actor(collins, (118, -10), 1.5, collins_anchors, (120, 180, 215), (3.0, 9.0)),
        Actor(hopper, (75, -8), 0.82, hopper_anchors, (225, 228, 230), (6.0, 11.0)),
    ]


def _panel(actor: Actor, seconds: float, place: int) -> npt.NDArray[np.float32]:
    """Show one actor at one moment, swaying a little, mask on or off."""
    begin, end = actor.masked
    worn = float(np.clip(min(seconds - begin, end - seconds) / FADE_SECONDS, 0.0, 1.0))
    portrait = _with_mask(actor, worn) if worn else actor.portrait
    phase = 2 * np.pi * seconds / 6.0 + 2.0 * place
    sway_x, sway_y = 6 * np.sin(phase), 3 * np.cos(2 * phase)
    scale = actor.scale * (1 + 0.02 * np.sin(phase / 2))
    shift_x = sway_x - actor.corner[0] * scale
    shift_y = sway_y - actor.corner[1] * scale
    return np.asarray(
        cv2.warpAffine(
            portrait.astype(np.float32),
            np.array([[scale, 0, shift_x], [0, scale, shift_y]], dtype=np.float32),
            (PANEL_WIDTH, PANEL_HEIGHT),
            borderMode=cv2.BORDER_REPLICATE,
        )
    )


def _with_mask(actor: Actor, opacity: float) -> Pixels:
    """Draw a mask on the portrait, shaded, pleated and with straps."""
    place = cv2.getAffineTransform(ANCHORS, actor.anchors)

    def points(shape: npt.NDArray[np.float32]) -> npt.NDArray[np.int32]:
        return np.round(shape @ place[:, :2].T + place[:, 2]).astype(np.int32)

    height, width = actor.portrait.shape[:2]
    cover = np.zeros((height, width), dtype=np.float32)
    cv2.fillPoly(cover, [points(OUTLINE)], (1.0,), cv2.LINE_AA)
    thick = max(round(float(np.ptp(actor.anchors[:2, 0])) / 28), 1)
    for strap in STRAPS:
        cv2.polylines(cover, [points(strap)], False, (1.0,), thick, cv2.LINE_AA)
    cloth = np.empty((height, width, 3), dtype=np.float32)
    cloth[:] = actor.colour
    for pleat in PLEATS:
        shade = tuple(0.82 * channel for channel in actor.colour)
        cv2.polylines(cloth, [points(pleat)], False, shade, thick, cv2.LINE_AA)
    across = np.linspace(-1, 1, int(np.ptp(points(OUTLINE)[:, 0])) + 1, dtype=np.float32)
    left = int(points(OUTLINE)[:, 0].min())
    cloth[:, left : left + len(across)] *= (1.0 - 0.3 * across**2)[np.newaxis, :, np.newaxis]
    cover = cv2.GaussianBlur(cover, (0, 0), 0.7)[..., np.newaxis] * opacity
    return np.clip(cover * cloth + (1 - cover) * actor.portrait, 0, 255).astype(np.uint8)
