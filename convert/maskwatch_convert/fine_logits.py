"""Finer logits: int8 keeps its 256 steps for answers between which a score can tell.

The range of an int8 tensor is that of its largest values, and the logits of clear faces are large:
one step of them moves a score near one half by a tenth or two, and two equal logits are a tie. But
a softmax over two labels sees only their difference. So the last layer is made to give a number and
its opposite, which changes no score, and the range is cut where every score is 0 or 1 anyway.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

LARGEST_LOGIT = 4.0
"""Two opposite ones so large make a score of 0.9997, and the last step below 1 is 0.9961."""


def oppose_logits(network: keras.Model) -> None:
    """Let the last layer give two opposite logits, whatever it gave before; no score changes.

    Args:
        network: Its last layer is changed if it is a `Dense` with a softmax over two labels.
    """
    last = network.layers[-1]
    if isinstance(last, keras.layers.Dense) and last.activation is keras.activations.softmax:
        last.set_weights([each - each.mean(axis=-1, keepdims=True) for each in last.get_weights()])


def refine_logits(int8: bytes) -> bytes:
    """Cut the range of two opposite logits to `LARGEST_LOGIT`.

    Args:
        int8: A quantized network as a TFLite flatbuffer.

    Returns:
        The same with finer logits; unchanged if it does not end in two opposite ones.
    """
    refined = bytearray(int8)
    logits = _opposite_logits(refined)
    if logits is not None:
        logits.Quantization().ScaleAsNumpy()[:] = LARGEST_LOGIT / np.iinfo(np.int8).max
        logits.Quantization().ZeroPointAsNumpy()[:] = 0
    return bytes(refined)


def _opposite_logits(int8: bytearray) -> Any:
    """Return the tensor between a last layer of two opposite rows and its softmax, or None."""
    model = schema.Model.GetRootAsModel(int8, 0)
    graph = model.Subgraphs(0)
    makers: dict[int, Any] = {}
    for operation in map(graph.Operators, range(graph.OperatorsLength())):
        kind = model.OperatorCodes(operation.OpcodeIndex()).BuiltinCode()
        maker = makers.get(operation.Inputs(0))
        if kind == schema.BuiltinOperator.SOFTMAX and maker is not None:
            weights = model.Buffers(graph.Tensors(maker.Inputs(1)).Buffer()).DataAsNumpy()
            one, other = weights.view(np.int8).reshape(2, -1)
            return graph.Tensors(operation.Inputs(0)) if (one == -other).all() else None
        if kind == schema.BuiltinOperator.FULLY_CONNECTED:
            makers[operation.Outputs(0)] = operation
    return None
