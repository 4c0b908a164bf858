"""From a frame to sightings: the seam where finder and classifier meet.

`Watcher` looks at one frame for what it is. `StreamWatcher` looks at the frames of a camera and
wastes nothing: it looks for faces at a steady pace and not in every frame, less often while all
faces are as they were, hardly ever while nothing moves, and has faces judged only when there is a
reason to.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

from .boxes import FaceBox
from .classifier import MaskClassifier
from .config import Thresholds
from .finders import FaceFinder
from .frame import Frame
from .limits import MAX_FACES
from .motion import StillScene, grid
from .recall import Judge, RecallingJudge
from .verdict import Sighting, Verdict, decide

EARLY_SECONDS = 0.005
"""A frame may come so much too early and count: cameras do not keep time to the millisecond."""

FIND, JUDGE = "find", "judge"
"""The stages of a look: the finder, and the classifier."""


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
        boxes = find(self._finder, frame, self._thresholds)
        verdicts = self._classifier.classify(frame.pixels, boxes)
        return sightings_of(boxes, verdicts, self._thresholds)


@dataclass(frozen=True)
class Look:
    """What is known of one frame of a camera.

    Attributes:
        sightings: Every face, surest first.
        is_new: Whether the frame was looked at. If not, these are the faces of the last one that
            was, and say nothing more.
        stage_seconds: What `FIND` and `JUDGE` took; empty if faces were not searched for.
    """

    sightings: tuple[Sighting, ...]
    is_new: bool
    stage_seconds: Mapping[str, float] = field(default_factory=dict, compare=False)


class StreamWatcher:
    """Watches the frames of one camera or video after another, as they come.

    Args:
        finder: Finds the faces.
        judge: Judges them; see `RecallingJudge` for whom, and when.
        thresholds: What is shown, and what is claimed.
        look_seconds: A frame that comes sooner after the last look is passed over.
        still_seconds: For so long a frame in which nothing has moved since faces were looked for
            counts as looked at, with the same outcome; and for as long as a verdict holds one in
            which all faces are as they were, whatever moves around them.
    """

    def __init__(
        self,
        finder: FaceFinder,
        judge: Judge,
        thresholds: Thresholds,
        *,
        look_seconds: float,
        still_seconds: float,
    ) -> None:
        self._finder = finder
        self._judge = RecallingJudge(judge, thresholds.min_score)
        self._thresholds = thresholds
        self._look_seconds, self._still_seconds = look_seconds, still_seconds
        self._scene = StillScene()
        self._source, self._looked_seconds, self._found_seconds = "", -inf, -inf
        self._sightings: tuple[Sighting, ...] = ()

    def look(self, frame: Frame) -> Look:
        """Return what is known of a frame; its time must be that of its source."""
        if frame.source != self._source or frame.time_seconds < self._looked_seconds:
            self.forget()  # another file, or the same from its start
        elapsed_seconds = frame.time_seconds - self._looked_seconds
        if elapsed_seconds < self._look_seconds - EARLY_SECONDS:
            return Look(self._sightings, is_new=False)
        self._source, self._looked_seconds = frame.source, frame.time_seconds
        is_recent = frame.time_seconds - self._found_seconds < self._still_seconds
        if is_recent and self._judge.recalls_all(frame.pixels, frame.time_seconds):
            return Look(self._sightings, is_new=True)
        cells = grid(frame.pixels)
        if is_recent and self._scene.shows(cells):
            return Look(self._sightings, is_new=True)
        stage_seconds = self._find(frame)
        self._scene.remember(cells)
        return Look(self._sightings, is_new=True, stage_seconds=stage_seconds)

    def forget(self) -> None:
        """Forget what was seen, as when the camera is lost: the next frame is looked at."""
        self._looked_seconds = self._found_seconds = -inf
        self._judge.forget()
        self._sightings = ()

    def _find(self, frame: Frame) -> Mapping[str, float]:
        began = time.monotonic()
        boxes = find(self._finder, frame, self._thresholds)
        found = time.monotonic()
        verdicts = self._judge.classify(frame.pixels, boxes, frame.time_seconds)
        judged = time.monotonic()
        self._sightings = tuple(sightings_of(boxes, verdicts, self._thresholds))
        self._found_seconds = frame.time_seconds
        return {FIND: found - began, JUDGE: judged - found}


def find(finder: FaceFinder, frame: Frame, thresholds: Thresholds) -> list[FaceBox]:
    """Return the faces of a frame that the finder is sure enough of, at most `limits.MAX_FACES`."""
    found = finder.find(frame.pixels)[:MAX_FACES]
    return [box for box in found if box.score >= thresholds.min_face_score]


def sightings_of(
    boxes: Sequence[FaceBox], verdicts: Sequence[Verdict], thresholds: Thresholds
) -> list[Sighting]:
    """Put boxes and verdicts together with what is claimed of each."""
    return [
        Sighting(box, verdict, decide(verdict, thresholds.min_score))
        for box, verdict in zip(boxes, verdicts, strict=True)
    ]
