"""What a finder of faces is, and which one a configuration asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.config import FacesConfig, ModelConfig
from maskwatch_edge.errors import SignatureError
from maskwatch_edge.frame import Pixels
from maskwatch_edge.models import YUNET, find_model, shipped_finder

from .haar import DEFAULT_CASCADE, HaarFinder
from .tflite import TfliteFinder
from .yunet import YunetFinder


class FaceFinder(Protocol):
    """Anything that finds faces."""

    def find(self, pixels: Pixels) -> list[FaceBox]:
        """Return the faces in a frame of shape (height, width, 3), uint8, RGB, best first."""
        ...


def open_finder(faces: FacesConfig, model: ModelConfig) -> FaceFinder:
    """Open the finder that a configuration names.

    Args:
        faces: Which one, and what it looks for.
        model: How an interpreter runs a network of ours.

    Raises:
        InputError: If its file is missing or broken, with what to do.
        ModelError: If it is a broken `.tflite` file.
        SignatureError: If it must be signed and is not.
    """
    path = file_of(faces)
    if faces.finder == "haar":
        if model.keys_for(faces.cascade):
            raise SignatureError(f"{path} cannot be signed; leave out the cascade, or the keys")
        return HaarFinder(path, min_size=faces.min_size_px)
    if faces.finder == "yunet":
        return YunetFinder(
            path,
            work_size=faces.work_size_px,
            min_size=faces.min_size_px,
            min_score=faces.min_score,
        )
    return TfliteFinder(
        path,
        interpreter=model.interpreter,
        threads=model.threads,
        min_score=faces.min_score,
        min_size=faces.min_size_px,
        trusted_keys=model.keys_for(faces.model),
    )


def file_of(faces: FacesConfig) -> Path:
    """Return the file that the finder of a configuration reads.

    Raises:
        InputError: If a fetched one is not there.
        ModelError: If one that comes with Maskwatch is not.
    """
    if given := given_file(faces):
        return given
    if faces.finder == "haar":
        return DEFAULT_CASCADE
    return find_model(YUNET) if faces.finder == "yunet" else shipped_finder(faces.finder)


def given_file(faces: FacesConfig) -> Path | None:
    """Return the file that a configuration names for its finder, if it names one."""
    return faces.cascade if faces.finder == "haar" else faces.model
