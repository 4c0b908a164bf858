"""Our own face finder: a small single-shot network that was trained on masked faces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.contract import FinderContract, read_finder
from maskwatch_edge.errors import InputError, ModelError
from maskwatch_edge.frame import Pixels
from maskwatch_edge.interpreter import load_interpreter
from maskwatch_edge.tensors import check_takes_bytes, check_tensor

from .codes import BoxCode, find_boxes
from .letterbox import Letterbox, fill_letterbox

Floats = npt.NDArray[np.float64]


class TfliteFinder:
    """Runs a face finder that `maskwatch convert` wrote.

    The model's tensors are compared with the contract in its file when it is loaded.

    Args:
        path: The `.tflite` file.
        interpreter: "auto", or a name in `interpreter.PACKAGES`.
        threads: Threads of the interpreter, clamped to the cores that may be used.
        min_score: Faces of a lower score are left out, in [0, 1].
        min_size: Faces with a shorter side are left out, in pixels of the frame.
        trusted_keys: Public keys, one of which must have signed the file; None asks for none.

    Raises:
        ModelError: If the file is broken, contradicts its contract, or holds a classifier.
        SignatureError: If it is not signed by a trusted key.
        InputError: If the score or the size is outside its range.
    """

    def __init__(
        self,
        path: Path,
        *,
        interpreter: str = "auto",
        threads: int | None = None,
        min_score: float = 0.3,
        min_size: int = 8,
        trusted_keys: Path | None = None,
    ) -> None:
        if not 0.0 <= min_score <= 1.0 or min_size < 1:
            raise InputError(
                "a finder needs a least score in [0, 1] and a least size of at least 1 pixel; "
                f"received {min_score} and {min_size}"
            )
        self._min_score, self._min_size = min_score, min_size
        flatbuffer, self.contract = read_finder(path, trusted_keys)
        self._code = BoxCode.of(self.contract)
        try:
            self._interpreter = load_interpreter(flatbuffer, interpreter, threads)
            self._input, self._heat, self._codes = _matching_tensors(
                self._interpreter, self.contract
            )
        except ModelError as error:
            raise ModelError(f"{path}: {error}") from error

    def find(self, pixels: Pixels) -> list[FaceBox]:
        """Find the faces in a frame.

        Args:
            pixels: Shape (height, width, 3), uint8, RGB.

        Returns:
            Boxes in pixels of the frame, inside of it, the surest first; at most
            `codes.MAX_FACES`.
        """
        letterbox = self._show(pixels)
        self._interpreter.invoke()
        heat, codes = self._read(self._heat)[..., 0], self._read(self._codes)
        boxes, scores = find_boxes(heat, codes, self._code, min_score=self._min_score)
        return frame_boxes(boxes, scores, letterbox, pixels.shape[:2], self._min_size)

    def _show(self, pixels: Pixels) -> Letterbox:
        # A view on the interpreter's memory: one copy less. It must be gone before it runs.
        return fill_letterbox(pixels, self._interpreter.tensor(self._input["index"])()[0])

    def _read(self, tensor: dict[str, Any]) -> npt.NDArray[np.float32]:
        raw = self._interpreter.get_tensor(tensor["index"])[0].astype(np.float32)
        scale, zero_point = tensor["quantization"]
        return np.asarray((raw - zero_point) * scale if scale else raw, dtype=np.float32)


def frame_boxes(
    boxes: Floats,
    scores: Floats,
    letterbox: Letterbox,
    frame_hw: tuple[int, ...],
    min_size: int = 1,
) -> list[FaceBox]:
    """Turn boxes of the input into boxes of the frame.

    Args:
        boxes: Shape (n, 4) as x1, y1, x2, y2, in pixels of the input.
        scores: Shape (n,), in [0, 1].
        letterbox: Where the frame lies in the input.
        frame_hw: Height and width of the frame in pixels.
        min_size: Boxes with a shorter side in pixels of the frame are left out.

    Returns:
        In the same order, cut to the frame; what lies outside is left out.
    """
    height, width = frame_hw
    edges = np.round(letterbox.to_frame(boxes)).astype(int)
    edges = np.clip(edges, 0, [width, height, width, height])
    return [
        FaceBox(x1, y1, x2, y2, min(float(score), 1.0))
        for (x1, y1, x2, y2), score in zip(edges.tolist(), scores, strict=True)
        if min(x2 - x1, y2 - y1) >= max(min_size, 1)
    ]


def _matching_tensors(
    interpreter: Any, contract: FinderContract
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return the input, the heat map and the codes; outputs are told apart by their channels."""
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    if len(inputs) != 1 or len(outputs) != 2:
        raise ModelError(
            f"the finder has {len(inputs)} inputs and {len(outputs)} outputs; expected 1 and 2"
        )
    heat, codes = sorted(outputs, key=lambda tensor: int(tensor["shape"][-1]))
    dtype = np.uint8 if contract.variant == "int8" else np.float32
    height, width = contract.input_height, contract.input_width
    places = (height // contract.stride, width // contract.stride)
    check_tensor("input", inputs[0], (1, height, width, 3), dtype)
    check_tensor("heat map", heat, (1, *places, 1), dtype)
    check_tensor("box", codes, (1, *places, 4), dtype)
    if contract.variant == "int8":
        check_takes_bytes(inputs[0])
    return inputs[0], heat, codes
