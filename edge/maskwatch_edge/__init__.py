"""What runs on the board: read frames, find faces, classify them, show and tell."""

from . import limits, quiet  # noqa: F401 - before OpenCV
from .boxes import FaceBox
from .classifier import MaskClassifier
from .contract import LABELS, ModelContract
from .errors import MaskwatchError
from .finders import HaarFinder
from .frame import Frame
from .pipeline import Watcher
from .verdict import Decision, Sighting, Verdict

__all__ = [
    "LABELS",
    "Decision",
    "FaceBox",
    "Frame",
    "HaarFinder",
    "MaskClassifier",
    "MaskwatchError",
    "ModelContract",
    "Sighting",
    "Verdict",
    "Watcher",
]
