"""From a frame to sightings: the seam where finder and classifier meet."""

from __future__ import annotations

from .classifier import MaskClassifier
from .config import Thresholds
from .finders import FaceFinder
from .frame import Frame
from .verdict import Sighting, decide


class Watcher:
    """Finds the faces in a frame and says of each whether it wears a mask.

    Args:
        finder: Finds the faces.
        classifier: Judges them.
        thresholds: What is shown, and what is claimed.
    """

    def __init__(
        self, finder: FaceFinder, classifier: MaskClassifier, thresholds: Thresholds
    ) -> None:
        self._finder = finder
        self._classifier = classifier
        self._thresholds = thresholds

    def look(self, frame: Frame) -> list[Sighting]:
        """Return every face of the frame, surest face first; unsure ones are told, not hidden."""
        found = self._finder.find(frame.pixels)
        boxes = [box for box in found if box.score >= self._thresholds.min_face_score]
        verdicts = self._classifier.classify(frame.pixels, boxes)
        return [
            Sighting(box, verdict, decide(verdict, self._thresholds.min_score))
            for box, verdict in zip(boxes, verdicts, strict=True)
        ]
