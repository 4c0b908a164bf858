"""From a frame to the smaller picture that a network looks at, and back: plain geometry."""

from __future__ import annotations

from dataclasses import dataclass

from maskwatch_edge.boxes import FaceBox


@dataclass(frozen=True)
class Scaling:
    """How a frame is made smaller for a finder.

    Attributes:
        frame_wh: Width and height of the frame, pixels.
        work_wh: Width and height of the working picture, pixels.
    """

    frame_wh: tuple[int, int]
    work_wh: tuple[int, int]

    @classmethod
    def fitting(cls, width: int, height: int, work_size: int) -> Scaling:
        """Let the long side of a frame be at most `work_size` px; a small frame stays as it is.

        No side becomes less than a pixel, so a very long and thin frame is not kept in shape.
        """
        factor = min(work_size / max(width, height), 1.0)
        work_wh = max(round(width * factor), 1), max(round(height * factor), 1)
        return cls((width, height), work_wh)

    def box_in_frame(
        self, x: float, y: float, width: float, height: float, score: float
    ) -> FaceBox | None:
        """Take a box from the working picture to the frame, and cut it to the frame.

        Args:
            x: Left edge, pixels of the working picture.
            y: Upper edge.
            width: Width, above 0.
            height: Height, above 0.
            score: How sure the finder is, in [0, 1].

        Returns:
            The box in whole pixels of the frame; None if nothing of it lies inside.
        """
        across = self.frame_wh[0] / self.work_wh[0]
        down = self.frame_wh[1] / self.work_wh[1]
        x1, y1 = round(x * across), round(y * down)
        x2, y2 = round((x + width) * across), round((y + height) * down)
        return FaceBox(x1, y1, max(x2, x1 + 1), max(y2, y1 + 1), score).clipped(*self.frame_wh)
