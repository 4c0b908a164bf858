"""The TFLite interpreter: which package runs the model, and on how many threads.

`ai-edge-litert` is the successor of `tflite-runtime` and the default: it runs int8 through
XNNPACK, which the last `tflite-runtime` (2.14.0) does not. Both have the same methods. Scores
differ between the two in the last step of the quantization, so never compare them bit by bit.
"""

from __future__ import annotations

import importlib
import os
from typing import Any

from .errors import InputError, MissingExtraError, ModelError
from .quiet import quiet

PACKAGES = {
    "ai-edge-litert": "ai_edge_litert.interpreter",
    "tflite-runtime": "tflite_runtime.interpreter",
}
"""Names that `--interpreter` takes, in the order that `auto` tries them."""

MOST_THREADS = 4
"""Networks this small gain nothing from more."""


def usable_threads(wanted: int | None = None) -> int:
    """Return `wanted`, or what suits the board, but at most the cores that this process may use.

    More threads than cores make the interpreter hundreds of times slower. Where there are more than
    two cores, one is left to the camera and the screen.

    Raises:
        InputError: If `wanted` is less than 1.
    """
    if wanted is not None and wanted < 1:
        raise InputError(f"the number of threads must be at least 1; received {wanted}")
    cores = len(os.sched_getaffinity(0))
    suitable = cores if cores <= 2 else min(cores - 1, MOST_THREADS)
    return min(wanted or suitable, cores)


def load_interpreter(flatbuffer: bytes, package: str = "auto", threads: int | None = None) -> Any:
    """Load a model into an interpreter, with its tensors allocated.

    Args:
        flatbuffer: A TFLite model.
        package: A name in `PACKAGES`, or "auto" for the first that is installed.
        threads: See `usable_threads`.

    Raises:
        MissingExtraError: If the package is not installed.
        ModelError: If the interpreter cannot read the model.
    """
    interpreter_class = _find_class(package)
    try:
        with quiet():  # LiteRT greets on stderr
            interpreter = interpreter_class(
                model_content=flatbuffer, num_threads=usable_threads(threads)
            )
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(f"the interpreter cannot load the model: {reason}") from error
    return interpreter


def _find_class(package: str) -> Any:
    if package != "auto" and package not in PACKAGES:
        choices = ", ".join(["auto", *PACKAGES])
        raise InputError(f"the interpreter must be one of {choices}; received {package!r}")
    names = list(PACKAGES) if package == "auto" else [package]
    for name in names:
        try:
            return importlib.import_module(PACKAGES[name]).Interpreter
        except ImportError:
            continue
    raise MissingExtraError(names[0], "tflite-runtime" if package == "tflite-runtime" else "")
