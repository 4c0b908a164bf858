"""Where the shipped model is."""

from __future__ import annotations

from pathlib import Path

from .errors import ModelError

SHIPPED_MODEL = "maskwatch-mobilenetv2-int8.tflite"


def shipped_model() -> Path:
    """Return the path of the model that comes with Maskwatch.

    A wheel carries it inside the package; a checkout has it in `models/` at the top.

    Raises:
        ModelError: If neither is there.
    """
    package = Path(__file__).parent
    for folder in (package / "models", package.parents[1] / "models"):
        if (folder / SHIPPED_MODEL).is_file():
            return folder / SHIPPED_MODEL
    raise ModelError(f"the shipped model {SHIPPED_MODEL} is missing; give --model FILE.tflite")
