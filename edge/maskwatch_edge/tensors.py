"""Comparing the tensors of a loaded model with what its contract promises."""

from __future__ import annotations

from typing import Any

import numpy as np

from .errors import ModelError


def check_tensor(
    name: str, tensor: dict[str, Any], shape: tuple[int, ...], dtype: type[np.generic]
) -> None:
    """Refuse a tensor of another shape or type.

    Args:
        name: What the message calls it.
        tensor: What the interpreter tells of it.
        shape: What the contract promises.
        dtype: What the contract promises.

    Raises:
        ModelError: With what was expected and what came.
    """
    received = tuple(int(side) for side in tensor["shape"])
    if received != shape or tensor["dtype"] != dtype:
        raise ModelError(
            f"the {name} tensor contradicts the contract: expected {np.dtype(dtype)} {shape}, "
            f"received {np.dtype(tensor['dtype'])} {received}"
        )


def check_takes_bytes(tensor: dict[str, Any]) -> None:
    """Refuse an int8 model that does not take the bytes of a picture as they are.

    Scaling is in the graph, so the quantization of its input must change nothing.

    Raises:
        ModelError: With the quantization that came.
    """
    if tensor["quantization"] != (1.0, 0):
        raise ModelError(
            "the input quantization (scale, zero point) must be (1.0, 0); "
            f"received {tensor['quantization']}"
        )
