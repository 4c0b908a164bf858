"""The picture for a screen: the camera's, the people in it, the count; or what is amiss."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import cv2
import numpy as np

from maskwatch_edge.annotate import (
    COLOURS,
    DARK,
    FONT,
    WHITE,
    WORDS,
    Colour,
    Pen,
    draw_tracks,
    letter_thickness,
)
from maskwatch_edge.cameras.state import CameraState
from maskwatch_edge.frame import Frame, Pixels
from maskwatch_edge.verdict import Decision
from maskwatch_edge.view import View

GREY: Colour = (170, 170, 170)
NIGHT: Colour = (24, 32, 48)
"""Ground of a screen without a picture: dark, but seen to be on."""

HOLD_SECONDS = 2.0
"""A slow camera's picture stays for so long while the next one is awaited."""


@dataclass(frozen=True)
class Absence:
    """How the picture went away.

    Attributes:
        since_seconds: When the last one was shown, or, without one, when waiting began.
        had_picture: Whether there was one.
    """

    since_seconds: float
    had_picture: bool = False


class Screen:
    """Draws one view after the other, and remembers when it last had a picture."""

    def __init__(self) -> None:
        self._absence: Absence | None = None
        self._canvas: Pixels | None = None
        self._drawn: object = None

    def draw(self, view: View, size_wh: tuple[int, int]) -> Pixels | None:
        """Return what a screen of that size shows now.

        Returns:
            Shape (height, width, 3), uint8, RGB, good until the next call; None if the screen
            stays as it is: a camera that works only takes a moment for its next picture, or the
            same notice was drawn less than a second ago.
        """
        if self._absence is None or has_picture(view):
            self._absence = Absence(view.time_seconds, has_picture(view))
        if _is_moment(view, self._absence) or self._is_drawn(view, self._absence, size_wh):
            return None
        canvas = self._room(size_wh)
        compose(view, canvas, self._absence)
        return canvas

    def _is_drawn(self, view: View, absence: Absence, size_wh: tuple[int, int]) -> bool:
        """Say whether the screen shows this already; a notice is drawn again every second."""
        second = int(view.time_seconds - absence.since_seconds)
        drawn = None if has_picture(view) else (size_wh, second, notice(view, absence))
        before, self._drawn = self._drawn, drawn
        return drawn is not None and drawn == before

    def _room(self, size_wh: tuple[int, int]) -> Pixels:
        width, height = size_wh
        if self._canvas is None or self._canvas.shape[:2] != (height, width):
            self._canvas = np.empty((height, width, 3), dtype=np.uint8)
        return self._canvas


def _is_moment(view: View, absence: Absence) -> bool:
    is_awaited = view.frame is None and view.camera is CameraState.SEEING
    age = view.time_seconds - absence.since_seconds
    return is_awaited and absence.had_picture and age < HOLD_SECONDS


def has_picture(view: View) -> bool:
    """Say whether the view's picture may be shown; while the camera is away it may not."""
    return view.frame is not None and view.camera in (CameraState.SEEING, CameraState.ENDED)


def compose(view: View, canvas: Pixels, absence: Absence) -> None:
    """Draw a view onto the whole of a canvas.

    Args:
        view: What to show.
        canvas: Shape (height, width, 3), uint8, RGB; nothing of what was there stays.
        absence: How the picture went away; of no meaning if there is one.
    """
    if view.frame is None or not has_picture(view):
        draw_notice(canvas, *notice(view, absence))
        return
    height, width = canvas.shape[:2]
    bar = bar_height((width, height))
    picture = _draw_frame(canvas[: height - bar], view.frame)
    zoom = picture.shape[1] / view.frame.width
    _draw_rate(canvas[: height - bar], view.frames_per_second)
    draw_tracks(picture, view.tracks, zoom, pen_for(min(width, height)))
    _draw_counts(canvas[height - bar :], view.count_people())


def bar_height(size_wh: tuple[int, int]) -> int:
    """Return the height in pixels of the bar below the picture that holds the count."""
    return round(min(size_wh[0] / 8, size_wh[1] / 8))


def fitted(size_wh: tuple[int, int], room_wh: tuple[int, int]) -> tuple[int, int]:
    """Return the largest size with these proportions that fits into a room, 1 pixel at least."""
    (width, height), (room_width, room_height) = size_wh, room_wh
    zoom = min(room_width / width, room_height / height)
    return max(min(round(width * zoom), room_width), 1), max(
        min(round(height * zoom), room_height), 1
    )


def notice(view: View, absence: Absence) -> tuple[str, ...]:
    """Say in a title and lines below it why there is no picture."""
    ago = spell_seconds(view.time_seconds - absence.since_seconds)
    since = f"last picture {ago} ago" if absence.had_picture else f"for {ago}"
    if view.camera is CameraState.ENDED:
        return "no more pictures", "the source has ended"
    if view.camera is CameraState.LOST:
        return "camera lost", "trying again", since
    return "waiting for the camera", since


def spell_seconds(seconds: float) -> str:
    """Write a time as people say it, such as "2 min 5 s"."""
    whole = max(int(seconds), 0)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"


def pen_for(shorter: int) -> Pen:
    """Return what draws words that are read from three metres on a screen of 10 inches."""
    return Pen(max(shorter / 640, 0.45), max(round(shorter / 160), 2))


def _draw_frame(room: Pixels, frame: Frame) -> Pixels:
    """Scale the frame into the middle of the room, black around it; return where it is."""
    height, width = room.shape[:2]
    w, h = fitted((frame.width, frame.height), (width, height))
    x, y = (width - w) // 2, (height - h) // 2
    room[:y], room[y + h :], room[:, :x], room[:, x + w :] = 0, 0, 0, 0
    picture = room[y : y + h, x : x + w]
    # Averaging all pixels is slow, and only seen where most of them would be left out.
    how = cv2.INTER_AREA if 2 * w <= frame.width else cv2.INTER_LINEAR
    cv2.resize(frame.pixels, (w, h), dst=picture, interpolation=how)
    return picture


def _draw_rate(room: Pixels, frames_per_second: float) -> None:
    """Write the rate into the lower left corner, small: it is for whoever sets the board up."""
    digits = 0 if frames_per_second >= 10 else 1
    text = f"{frames_per_second:.{digits}f} fps"
    height, width = room.shape[:2]
    Pen(max(min(width, height) / 1100, 0.4), 1).write(room, text, (0, height), DARK)


def _draw_counts(bar: Pixels, counts: Counter[Decision]) -> None:
    """Write how many are masked, not masked and unsure; whoever is not there has no colour."""
    widest = [_size_at_1(f"88 {word}")[0] for word in WORDS.values()]
    height, width = bar.shape[:2]
    room = sum(widest) * 1.15
    scale = min(width / room, height / 2 / _size_at_1("8")[1])
    left, used = 0, 0
    for (decision, word), share in zip(WORDS.items(), widest, strict=True):
        used += share
        right = round(width * used / sum(widest))
        cell = bar[:, left:right]
        _fill(cell, COLOURS[decision] if counts[decision] else DARK)
        colour = WHITE if counts[decision] else GREY
        _write_in_the_middle(cell, f"{counts[decision]} {word}", scale, colour)
        left = right


def draw_notice(canvas: Pixels, title: str, *lines: str) -> None:
    """Fill the whole canvas, shape (height, width, 3), with a title and lines below it."""
    _fill(canvas, NIGHT)
    height, width = canvas.shape[:2]
    large = min(width * 0.85 / _size_at_1(title)[0], height / 110)
    small = min(width * 0.85 / _size_at_1("last picture 88 min 88 s ago")[0], large * 0.7)
    steps = [round(60 * large), *(round(45 * small) for _ in lines)]
    top = max((height - sum(steps)) // 2, 0)
    for number, (text, step) in enumerate(zip((title, *lines), steps, strict=True)):
        scale, colour = (large, WHITE) if number == 0 else (small, GREY)
        _write_in_the_middle(canvas[top : top + step], text, scale, colour)
        top += step


def _write_in_the_middle(room: Pixels, text: str, scale: float, colour: Colour) -> None:
    """Write into the middle of a room, which may be a part of a picture."""
    if not room.size:
        return
    thickness = letter_thickness(scale)
    (width, height), _ = cv2.getTextSize(text, FONT, scale, thickness)
    start = ((room.shape[1] - width) // 2, (room.shape[0] + height) // 2)
    cv2.putText(room, text, start, FONT, scale, colour, thickness, cv2.LINE_AA)


def _fill(room: Pixels, colour: Colour) -> None:
    # Several times as fast as numpy's `room[:] = colour`.
    height, width = room.shape[:2]
    cv2.rectangle(room, (0, 0), (width, height), colour, cv2.FILLED)


def _size_at_1(text: str) -> tuple[int, int]:
    (width, height), _ = cv2.getTextSize(text, FONT, 1.0, 2)
    return width, height
