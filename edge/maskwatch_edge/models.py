"""Which model files there are, and where they are looked for."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from .errors import InputError, ModelError

STANDARD = "standard"
SHIPPED_MODELS: Mapping[str, str] = MappingProxyType(
    {
        STANDARD: "maskwatch-mobilenetv2-int8.tflite",
        "small": "maskwatch-mobilenetv2-small-int8.tflite",
    }
)
"""The mask models that come with Maskwatch: what each is called, and its file."""

SHIPPED_FINDERS: Mapping[str, str] = MappingProxyType(
    {
        "tflite": "maskwatch-finder-int8.tflite",
        "tflite-small": "maskwatch-finder-small-int8.tflite",
    }
)
"""The face finders that come with Maskwatch: what `faces.finder` calls each, and its file."""

SHARED_FOLDER = Path("/usr/local/share/maskwatch")
"""Fetched models for everybody on the machine, the service among them, which sees no home."""


def shipped_model(name: str = STANDARD) -> Path:
    """Return the path of a mask model that comes with Maskwatch, by its name in `SHIPPED_MODELS`.

    Raises:
        ModelError: If it is missing.
    """
    return _shipped(SHIPPED_MODELS[name], "--model")


def shipped_finder(name: str = "tflite") -> Path:
    """Return the path of a face finder that comes with Maskwatch, by its name in `SHIPPED_FINDERS`.

    Raises:
        ModelError: If it is missing.
    """
    return _shipped(SHIPPED_FINDERS[name], "--finder-model")


def _shipped(name: str, option: str) -> Path:
    """Look where a wheel carries models, inside the package, and where a checkout has them."""
    package = Path(__file__).parent
    for folder in (package / "models", package.parents[1] / "models"):
        if (folder / name).is_file():
            return folder / name
    raise ModelError(f"the shipped model {name} is missing; give {option} FILE.tflite")


@dataclass(frozen=True)
class KnownModel:
    """A model file that does not come with Maskwatch and can be fetched.

    Attributes:
        name: What `maskwatch models get` calls it.
        file_name: What it is called on the disk.
        size_bytes: Its length.
        sha256: Its digest, in hexadecimal: nothing else is ever taken for it.
        addresses: Where it is published; tried in this order.
        about: What it is, and its licence.
    """

    name: str
    file_name: str
    size_bytes: int
    sha256: str
    addresses: tuple[str, ...]
    about: str

    def is_content(self, content: bytes) -> bool:
        """Tell whether these bytes are the file."""
        return hashlib.sha256(content).hexdigest() == self.sha256

    def is_at(self, path: Path) -> bool:
        """Tell whether the file is there, whole and unchanged."""
        try:
            with path.open("rb") as file:
                return self.is_content(file.read(self.size_bytes + 1))
        except OSError:
            return False


# The zoo keeps its file in Git LFS, and github.com/.../raw/ leads on to the file itself, where
# raw.githubusercontent.com gives three lines of text. YuNet's authors publish the same bytes.
YUNET = KnownModel(
    name="yunet",
    file_name="face_detection_yunet_2023mar.onnx",
    size_bytes=232_589,
    sha256="8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
    addresses=(
        "https://github.com/opencv/opencv_zoo/raw/main/models/face_detection_yunet/"
        "face_detection_yunet_2023mar.onnx",
        "https://raw.githubusercontent.com/ShiqiYu/libfacedetection.train/master/onnx/"
        "yunet_s_640_640.onnx",
    ),
    about="YuNet, the face finder of the OpenCV zoo (MIT)",
)
KNOWN_MODELS = {model.name: model for model in (YUNET,)}


def data_folder() -> Path:
    """Return the folder that fetched models go to.

    It is `$XDG_DATA_HOME/maskwatch`; without that variable, `SHARED_FOLDER` for root and
    `~/.local/share/maskwatch` for everybody else.
    """
    if named := os.environ.get("XDG_DATA_HOME"):
        return Path(named) / "maskwatch"
    if os.geteuid() == 0:
        return SHARED_FOLDER
    # Not Path.home(), which raises for a user without one.
    return Path("~/.local/share/maskwatch").expanduser() if "HOME" in os.environ else SHARED_FOLDER


def model_folders() -> list[Path]:
    """Return the folders in which fetched models are looked for, in this order."""
    return list(dict.fromkeys((data_folder(), SHARED_FOLDER)))


def find_model(model: KnownModel) -> Path:
    """Return where a fetched model is.

    Raises:
        InputError: If it is in none of `model_folders`, with the command that fetches it.
    """
    for folder in model_folders():
        # Not is_file(), which raises in a folder that this user may not enter.
        if os.access(folder / model.file_name, os.R_OK):
            return folder / model.file_name
    places = " and ".join(map(str, model_folders()))
    raise InputError(
        f"there is no {model.file_name} (looked in {places}); fetch it with: "
        f"maskwatch models get {model.name}"
    )
