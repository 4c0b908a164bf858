"""Rectangles around faces: plain geometry, no pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class FaceBox:
    """A rectangle around one face, in pixels of its frame.

    Attributes:
        x1: Left edge.
        y1: Upper edge.
        x2: Right edge, not inside the box.
        y2: Lower edge, not inside the box.
        score: How sure the finder is that this is a face, in [0, 1].

    Raises:
        ValueError: If the box has no area or the score is outside [0, 1].
    """

    x1: int
    y1: int
    x2: int
    y2: int
    score: float = 1.0

    def __post_init__(self) -> None:
        if self.x2 <= self.x1 or self.y2 <= self.y1:
            raise ValueError(
                "a face box needs x1 < x2 and y1 < y2; "
                f"received {(self.x1, self.y1, self.x2, self.y2)}"
            )
        if not 0.0 <= self.score <= 1.0:
            raise ValueError(f"a face score must be in [0, 1]; received {self.score}")

    @property
    def xyxy(self) -> tuple[int, int, int, int]:
        """Left, upper, right and lower edge."""
        return self.x1, self.y1, self.x2, self.y2

    @property
    def width(self) -> int:
        """Width in pixels."""
        return self.x2 - self.x1

    @property
    def height(self) -> int:
        """Height in pixels."""
        return self.y2 - self.y1

    @property
    def size(self) -> int:
        """The shorter side in pixels: the "size" of a face in all tables."""
        return min(self.width, self.height)

    @property
    def area(self) -> int:
        """Area in square pixels."""
        return self.width * self.height

    def expanded(self, margin: float) -> FaceBox:
        """Grow by `margin` of the width to the left and right, of the height up and down."""
        dx, dy = round(self.width * margin), round(self.height * margin)
        return replace(self, x1=self.x1 - dx, y1=self.y1 - dy, x2=self.x2 + dx, y2=self.y2 + dy)

    def clipped(self, width: int, height: int) -> FaceBox | None:
        """Cut to a frame of that size; None if nothing of the box lies inside."""
        x1, y1 = max(self.x1, 0), max(self.y1, 0)
        x2, y2 = min(self.x2, width), min(self.y2, height)
        if x2 <= x1 or y2 <= y1:
            return None
        return replace(self, x1=x1, y1=y1, x2=x2, y2=y2)

    def iou(self, other: FaceBox) -> float:
        """Intersection over union with another box, in [0, 1]."""
        width = min(self.x2, other.x2) - max(self.x1, other.x1)
        height = min(self.y2, other.y2) - max(self.y1, other.y1)
        if width <= 0 or height <= 0:
            return 0.0
        shared = width * height
        return shared / (self.area + other.area - shared)
