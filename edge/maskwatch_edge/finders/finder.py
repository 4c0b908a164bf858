"""What a finder of faces is, and which one a configuration asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.config import FacesConfig
from maskwatch_edge.frame import Pixels
from maskwatch_edge.models import YUNET, find_model

from .haar import DEFAULT_CASCADE, HaarFinder
from .yunet import YunetFinder


class FaceFinder(Protocol):
    """Anything that finds faces."""

    def find(self, pixels: Pixels) -> list[FaceBox]:
        """Return the faces in a frame of shape (height, width, 3), uint8, RGB, best first."""
        ...


def open_finder(faces: FacesConfig) -> FaceFinder:
    """Open the finder that a configuration names.

    Raises:
        InputError: If its file is missing or broken, with what to do.
    """
    return OPENERS[faces.finder](faces)


def file_of(faces: FacesConfig) -> Path:
    """Return the file that the finder of a configuration reads.

    Raises:
        InputError: If a fetched one is not there.
    """
    if faces.finder == "haar":
        return faces.cascade or DEFAULT_CASCADE
    return faces.model or find_model(YUNET)


def _open_haar(faces: FacesConfig) -> FaceFinder:
    return HaarFinder(file_of(faces), min_size=faces.min_size_px)


def _open_yunet(faces: FacesConfig) -> FaceFinder:
    return YunetFinder(
        file_of(faces),
        work_size=faces.work_size_px,
        min_size=faces.min_size_px,
        min_score=faces.min_score,
    )


OPENERS: Mapping[str, Callable[[FacesConfig], FaceFinder]] = {
    "haar": _open_haar,
    "yunet": _open_yunet,
}
"""How each of `config.settings.FINDERS` is opened."""
