"""Finding faces in a frame: one interface, and what stands behind it."""

from .finder import FaceFinder, open_finder
from .haar import HaarFinder
from .tflite import TfliteFinder
from .yunet import YunetFinder

__all__ = ["FaceFinder", "HaarFinder", "TfliteFinder", "YunetFinder", "open_finder"]
