"""Drawing what was seen onto a picture. It decides nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2

from .frame import Pixels
from .stance import mask_probability
from .tracks import Track
from .verdict import Decision, Sighting

Colour = tuple[int, int, int]
Place = tuple[int, int, int, int]
"""Left, upper, right and lower edge in pixels of a picture; the last two are not inside."""

COLOURS: dict[Decision, Colour] = {
    Decision.MASK: (22, 163, 74),
    Decision.NO_MASK: (220, 38, 38),
    Decision.UNSURE: (217, 119, 6),
}
"""RGB; the words on the picture say the same to those who cannot tell the colours apart."""

WORDS = {Decision.MASK: "mask", Decision.NO_MASK: "no mask", Decision.UNSURE: "unsure"}
FONT = cv2.FONT_HERSHEY_SIMPLEX
WHITE: Colour = (255, 255, 255)
DARK: Colour = (40, 40, 40)


@dataclass(frozen=True)
class Pen:
    """How large words are written, and how thick lines are drawn.

    Attributes:
        scale: Of OpenCV's font; capital letters are 22 px high at 1.
        line: Thickness of the boxes in pixels.
    """

    scale: float
    line: int

    @property
    def thickness(self) -> int:
        """Thickness of the letters in pixels."""
        return letter_thickness(self.scale)

    @property
    def pad(self) -> int:
        """Room around the words in pixels."""
        return max(round(9 * self.scale), 2)

    def size_of(self, text: str) -> tuple[int, int]:
        """Return width and height in pixels of a bar that holds this text."""
        (width, height), _ = cv2.getTextSize(text, FONT, self.scale, self.thickness)
        return width + 2 * self.pad, height + 2 * self.pad

    def write(self, picture: Pixels, text: str, corner: tuple[int, int], colour: Colour) -> None:
        """Write white on a filled bar; `corner` is the bar's lower left one."""
        (x, y), (width, height) = corner, self.size_of(text)
        cv2.rectangle(picture, (x, y - height), (x + width, y), colour, cv2.FILLED)
        start = (x + self.pad, y - self.pad)
        cv2.putText(picture, text, start, FONT, self.scale, WHITE, self.thickness, cv2.LINE_AA)


def letter_thickness(scale: float) -> int:
    """Return how thick, in pixels, letters of this scale are best drawn."""
    return max(round(2 * scale), 1)


def annotate(
    pixels: Pixels, sightings: Sequence[Sighting], frames_per_second: float | None = None
) -> Pixels:
    """Draw boxes, words and per cent.

    Args:
        pixels: The frame, shape (height, width, 3), uint8, RGB; it is not changed.
        sightings: What was seen in it.
        frames_per_second: Written into the lower left corner if given.

    Returns:
        A new picture of the same shape.
    """
    picture = pixels.copy()
    shorter = min(pixels.shape[:2])
    pen = Pen(max(shorter / 900, 0.35), max(round(shorter / 240), 1))
    for sighting in reversed(sightings):
        box, colour = sighting.box, COLOURS[sighting.decision]
        cv2.rectangle(picture, (box.x1, box.y1), (box.x2 - 1, box.y2 - 1), colour, pen.line)
        _write_inside(picture, caption(sighting), (box.x1, box.y1), colour, pen)
    if frames_per_second is not None:
        text = f"{frames_per_second:.1f} fps"
        _write_inside(picture, text, (0, picture.shape[0]), DARK, pen)
    return picture


def caption(sighting: Sighting) -> str:
    """Say in words what is drawn above a face, such as "mask 98 %"."""
    return _say(sighting.decision, sighting.verdict.score)


def track_caption(track: Track) -> str:
    """Say in words what is drawn above a person, such as "mask 98 %".

    The words are the vote's, the per cent the newest answer's: what it gives to the vote's label,
    or to the likelier one while the vote is unsure.
    """
    return _say(track.decision, track_score(track))


def track_score(track: Track) -> float:
    """Return that per cent as a share, in [0, 1]."""
    verdict = track.sighting.verdict
    mask = mask_probability(verdict)
    scores = {Decision.MASK: mask, Decision.NO_MASK: 1.0 - mask, Decision.UNSURE: verdict.score}
    return scores[track.decision]


def draw_tracks(picture: Pixels, tracks: Sequence[Track], zoom: float, pen: Pen) -> None:
    """Draw boxes, words and per cent of people onto a picture that was scaled before.

    Words never lie on other words as long as there is room above, below or in their box.

    Args:
        picture: Shape (height, width, 3), uint8, RGB; it is drawn upon.
        tracks: The people, their boxes in pixels of the frame.
        zoom: Pixels of the picture for one of the frame.
        pen: How large, how thick.
    """
    boxes = [_scaled(track, zoom) for track in tracks]
    for track, (x1, y1, x2, y2) in zip(tracks, boxes, strict=True):
        colour = COLOURS[track.decision]
        cv2.rectangle(picture, (x1, y1), (x2 - 1, y2 - 1), WHITE, pen.line + 2)
        cv2.rectangle(picture, (x1, y1), (x2 - 1, y2 - 1), colour, pen.line)
    taken: list[Place] = []
    for track, box in zip(tracks, boxes, strict=True):
        text = track_caption(track)
        place = _free_place(picture, box, pen.size_of(text), taken)
        taken.append(place)
        pen.write(picture, text, (place[0], place[3]), COLOURS[track.decision])


def _say(decision: Decision, score: float) -> str:
    return f"{WORDS[decision]} {score:.0%}".replace("%", " %")


def _scaled(track: Track, zoom: float) -> Place:
    x1, y1, x2, y2 = (round(edge * zoom) for edge in track.box.xyxy)
    return x1, y1, x2, y2


def _free_place(
    picture: Pixels, box: Place, size_wh: tuple[int, int], taken: Sequence[Place]
) -> Place:
    """Return the first place for words of a box that no other words hold, or else the best."""
    places = list(_places(picture, box, size_wh))
    free = (place for place in places if not any(_overlap(place, other) for other in taken))
    return next(free, places[0])


def _places(picture: Pixels, box: Place, size_wh: tuple[int, int]) -> Iterator[Place]:
    """Name the places for words: above the box, below it, in it at its top and at its bottom."""
    (x1, y1, _, y2), (_, height) = box, size_wh
    for bottom in (y1, y2 + height, y1 + height, y2):
        yield _inside(picture, (x1, bottom), size_wh)


def _inside(picture: Pixels, corner: tuple[int, int], size_wh: tuple[int, int]) -> Place:
    """Return the bar that stands on its lower left corner, moved into the picture if it must be."""
    (width, height), (picture_height, picture_width) = size_wh, picture.shape[:2]
    x = max(min(corner[0], picture_width - width), 0)
    y = min(max(corner[1], height), picture_height)
    return x, y - height, x + width, y


def _overlap(one: Place, other: Place) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _write_inside(
    picture: Pixels, text: str, corner: tuple[int, int], colour: Colour, pen: Pen
) -> None:
    x, _, _, y = _inside(picture, corner, pen.size_of(text))
    pen.write(picture, text, (x, y), colour)
