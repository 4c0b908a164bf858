"""Mask or no mask: the MobileNetV2 classifier on face crops."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from .boxes import FaceBox
from .config import ModelConfig
from .contract import ModelContract, read_model
from .errors import ModelError
from .frame import Pixels
from .interpreter import load_interpreter
from .models import shipped_model
from .resize import fit_quickly
from .tensors import check_takes_bytes, check_tensor
from .verdict import Verdict

LARGEST_AVERAGED = 4
"""Pictures that become smaller by more than this are sampled before they are averaged."""


class MaskClassifier:
    """Runs a mask model on face crops.

    The model's tensors are compared with the contract in its file when it is loaded; input and
    output quantization are read from the tensors.

    Args:
        path: A `.tflite` file written by `maskwatch convert`.
        interpreter: "auto", or a name in `interpreter.PACKAGES`.
        threads: Threads of the interpreter, clamped to the cores that may be used.
        trusted_keys: Public keys, one of which must have signed the file; None asks for none.

    Raises:
        ModelError: If the file is broken or contradicts its contract.
        SignatureError: If it is not signed by a trusted key.
    """

    def __init__(
        self,
        path: Path,
        *,
        interpreter: str = "auto",
        threads: int | None = None,
        trusted_keys: Path | None = None,
    ) -> None:
        flatbuffer, self.contract = read_model(path, trusted_keys)
        try:
            self._interpreter = load_interpreter(flatbuffer, interpreter, threads)
            self._input, self._output = _matching_tensors(self._interpreter, self.contract)
        except ModelError as error:
            raise ModelError(f"{path}: {error}") from error

    def classify(self, pixels: Pixels, boxes: Sequence[FaceBox]) -> list[Verdict]:
        """Judge each face.

        Args:
            pixels: The frame, shape (height, width, 3), uint8, RGB.
            boxes: Faces in pixels of that frame.

        Returns:
            One verdict a box, in the same order.
        """
        size, margin = self.contract.input_size, self.contract.face_margin
        crops = (face_crop(pixels, box, margin, size) for box in boxes)
        return [self._verdict(self.probabilities(crop)) for crop in crops]

    def probabilities(self, crop: Pixels) -> npt.NDArray[np.float64]:
        """Return the probability of each label for one crop.

        Args:
            crop: Shape (input_size, input_size, 3), uint8, RGB.

        Returns:
            Shape (2,), in the order of `contract.labels`, summing to one.
        """
        # Into the interpreter's own memory: one copy less. The view must be gone before it runs.
        self._interpreter.tensor(self._input["index"])()[0] = crop
        self._interpreter.invoke()
        raw = self._interpreter.get_tensor(self._output["index"])[0].astype(np.float64)
        scale, zero_point = self._output["quantization"]
        values = np.maximum((raw - zero_point) * scale if scale else raw, 0.0)
        # Quantized values sum to one only to within a step of 1/256.
        return np.asarray(values / values.sum())

    def _verdict(self, probabilities: npt.NDArray[np.float64]) -> Verdict:
        best = int(np.argmax(probabilities))
        return Verdict(self.contract.labels[best], float(probabilities[best]))


def open_classifier(model: ModelConfig) -> MaskClassifier:
    """Open the model that a configuration names.

    Raises:
        ModelError: If it is broken, or missing.
        SignatureError: If it must be signed and is not.
    """
    return MaskClassifier(
        model_file(model),
        interpreter=model.interpreter,
        threads=model.threads,
        trusted_keys=model.keys_for(model.path),
    )


def model_file(model: ModelConfig) -> Path:
    """Return the file of the model that a configuration names.

    Raises:
        ModelError: If one that comes with Maskwatch is missing.
    """
    return model.path or shipped_model(model.shipped)


def face_crop(pixels: Pixels, box: FaceBox, margin: float, size: int) -> Pixels:
    """Cut a face out of a frame, as the model is used to see it.

    Training, evaluation and the board all cut faces with this one function.

    Args:
        pixels: Shape (height, width, 3), uint8.
        box: The face, at least partly inside the frame.
        margin: Share of the box's width and height added on each side.
        size: Side of the square crop in pixels.

    Returns:
        Shape (size, size, 3), uint8, same channel order.

    Raises:
        ValueError: If no part of the box lies inside the frame.
    """
    height, width = pixels.shape[:2]
    inside = box.expanded(margin).clipped(width, height)
    if inside is None:
        raise ValueError(f"the box {box.xyxy} lies outside the frame of {width}x{height} pixels")
    return resized(pixels[inside.y1 : inside.y2, inside.x1 : inside.x2], size)


def resized(pixels: Pixels, size: int) -> Pixels:
    """Scale a picture to a square of `size` pixels.

    All its pixels count, unless it is so large that it holds more than can be seen at that size.
    """
    longest = max(pixels.shape[:2])
    if longest > LARGEST_AVERAGED * size:
        return fit_quickly(pixels, (size, size))
    how = cv2.INTER_AREA if longest > size else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (size, size), interpolation=how), dtype=np.uint8)


def _matching_tensors(
    interpreter: Any, contract: ModelContract
) -> tuple[dict[str, Any], dict[str, Any]]:
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    if len(inputs) != 1 or len(outputs) != 1:
        raise ModelError(
            f"the model has {len(inputs)} inputs and {len(outputs)} outputs; expected one of each"
        )
    dtype = np.uint8 if contract.variant == "int8" else np.float32
    size = contract.input_size
    check_tensor("input", inputs[0], (1, size, size, 3), dtype)
    check_tensor("output", outputs[0], (1, len(contract.labels)), dtype)
    if contract.variant == "int8":
        check_takes_bytes(inputs[0])
    return inputs[0], outputs[0]
