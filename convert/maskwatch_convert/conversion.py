"""One conversion, of a classifier or a face finder: both variants, compared, and one written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import keras

from maskwatch_edge.contract import Contract, write_model
from maskwatch_edge.frame import Pixels

from .bias_correction import correct_biases
from .converter import convert_variants
from .converting import ConversionConfig, check_loss, tell, written_models
from .fine_logits import oppose_logits, refine_logits
from .parity import REFERENCE


class Comparison(Protocol):
    """How a variant did beside the float model."""

    @property
    def lost_points(self) -> float:
        """Percentage points that the variant lost; negative if it gained."""
        ...

    def scores(self) -> dict[str, float]:
        """Return the figures for the contract."""
        ...

    def table(self) -> str:
        """Lay out both models side by side as text."""
        ...


@dataclass(frozen=True)
class Subject:
    """What is converted.

    Attributes:
        network: The trained network.
        contract: What the file of the variant carries, but for the scores.
        input_name: What the file calls its input.
        measure: What it may lose no more of than `ConversionConfig.max_drop`, in words.
        calibrate: Returns the pictures that calibrate int8; only called for that.
        compare: Lets the edge run the files of both models, by variant, on what was held out.
    """

    network: keras.Model
    contract: Contract
    input_name: str
    measure: str
    calibrate: Callable[[], Sequence[Pixels]]
    compare: Callable[[Mapping[str, Path]], Comparison]


def convert(subject: Subject, output: Path, config: ConversionConfig) -> None:
    """Convert a network, compare it with the float one, and write the file.

    The table of the comparison goes to stdout, whether the variant is accepted or not.

    Raises:
        ConversionError: If it cannot be converted, or loses more than it may.
        OutputError: If the file cannot be written.
    """
    variant = config.variant
    pictures = subject.calibrate() if variant == "int8" else []
    oppose_logits(subject.network)
    both = (REFERENCE, variant)  # which may be the same
    flatbuffers = convert_variants(subject.network, both, pictures, subject.input_name)
    if variant == "int8":
        tell("correcting biases")
        corrected = correct_biases(flatbuffers[REFERENCE], flatbuffers[variant], pictures)
        flatbuffers[variant] = refine_logits(corrected)
    with written_models(flatbuffers, subject.contract) as models:
        comparison = subject.compare(models)
    print(comparison.table())  # noqa: T201
    check_loss(variant, comparison.lost_points, subject.measure, config.max_drop)
    contract = replace(subject.contract, scores=comparison.scores())
    write_model(output, flatbuffers[variant], contract)
    tell(f"wrote {output}")
