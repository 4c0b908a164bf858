"""What a finder of faces is, and which one a configuration asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.config import FacesConfig
from maskwatch_edge.errors import InputError
from maskwatch_edge.frame import Pixels
from maskwatch_edge.models import YUNET, find_model

from .haar import DEFAULT_CASCADE, HaarFinder
from .tflite import TfliteFinder
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
        ModelError: If it is a broken `.tflite` file.
    """
    return OPENERS[faces.finder](faces)


def file_of(faces: FacesConfig) -> Path:
    """Return the file that the finder of a configuration reads.

    Raises:
        InputError: If a fetched one is not there, or one that must be named is not.
    """
    if faces.finder == "haar":
        return faces.cascade or DEFAULT_CASCADE
    # One setting names the network of either; a comparison of all finders has both.
    is_ours = faces.model is not None and faces.model.suffix == ".tflite"
    if faces.finder == "yunet":
        return faces.model if faces.model and not is_ours else find_model(YUNET)
    if not is_ours or faces.model is None:
        raise InputError(
            "the finder tflite needs the .tflite file of a network of maskwatch train-finder; name "
            "it as faces.model or --finder-model"
        )
    return faces.model


def _open_haar(faces: FacesConfig) -> FaceFinder:
    return HaarFinder(file_of(faces), min_size=faces.min_size_px)


def _open_yunet(faces: FacesConfig) -> FaceFinder:
    return YunetFinder(
        file_of(faces),
        work_size=faces.work_size_px,
        min_size=faces.min_size_px,
        min_score=faces.min_score,
    )


def _open_tflite(faces: FacesConfig) -> FaceFinder:
    return TfliteFinder(file_of(faces), min_score=faces.min_score, min_size=faces.min_size_px)


OPENERS: Mapping[str, Callable[[FacesConfig], FaceFinder]] = {
    "haar": _open_haar,
    "yunet": _open_yunet,
    "tflite": _open_tflite,
}
"""How each of `config.settings.FINDERS` is opened."""
