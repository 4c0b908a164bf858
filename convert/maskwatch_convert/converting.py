"""What the conversions of classifiers and of face finders share."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from maskwatch_edge.contract import Contract, write_model
from maskwatch_edge.errors import ConversionError, OutputError


@dataclass(frozen=True)
class ConversionConfig:
    """What is made, and what is demanded of it.

    Attributes:
        variant: One of `contract.VARIANTS`.
        max_drop: Percentage points of accuracy, or of AP50, that the variant may lose.
        samples: Faces or frames that calibrate int8.
        seed: Decides which.
        threads: Threads of the interpreter while the models are compared.
        input_wh: Width and height of a finder's input in pixels; None for those of its training.
    """

    variant: str = "int8"
    max_drop: float = 0.5
    samples: int = 400
    seed: int = 1
    threads: int = 1
    input_wh: tuple[int, int] | None = None


def check_loss(variant: str, lost_points: float, measure: str, max_drop: float) -> None:
    """Refuse a variant that lost too much.

    Args:
        variant: Its name.
        lost_points: Percentage points that it lost.
        measure: What the message calls that which was lost.
        max_drop: Percentage points of it that may be lost.

    Raises:
        ConversionError: If it lost more.
    """
    if lost_points > max_drop:
        raise ConversionError(
            f"{variant} loses {lost_points:.2f} points of {measure}; at most "
            f"{max_drop:g} may be lost: give more --samples, or raise --max-drop"
        )


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Give a folder that is gone afterwards.

    Raises:
        OutputError: If none can be made.
    """
    try:
        folder = tempfile.TemporaryDirectory(prefix="maskwatch-")
    except OSError as error:
        raise OutputError(f"cannot make a temporary folder: {error.strerror or error}") from error
    with folder as name:
        yield Path(name)


@contextmanager
def written_models(
    flatbuffers: Mapping[str, bytes], contract: Contract
) -> Iterator[dict[str, Path]]:
    """Give the files of all variants, as the edge reads them; they are gone afterwards.

    Args:
        flatbuffers: By variant.
        contract: What all of them carry, but for the variant.

    Raises:
        OutputError: If they cannot be written.
    """
    with scratch_folder() as scratch:
        models = {variant: scratch / f"{variant}.tflite" for variant in flatbuffers}
        for variant, path in models.items():
            write_model(path, flatbuffers[variant], replace(contract, variant=variant))
        yield models


def tell(line: str) -> None:
    """Say how far the conversion is."""
    print(f"maskwatch convert: {line}", file=sys.stderr, flush=True)  # noqa: T201
