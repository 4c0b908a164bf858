"""Converting a classifier, from the folder of its training to a TFLite file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from maskwatch_edge.contract import COLOUR_ORDER, FACE_MARGIN, LABELS, ModelContract
from maskwatch_edge.crops import read_crops
from maskwatch_edge.frame import Pixels

from .calibration import choose_crops, find_faces
from .conversion import Subject, convert
from .converter import load_network
from .converting import ConversionConfig, tell
from .parity import Parity, compare
from .training_run import TrainingRun


def convert_classifier(
    run: TrainingRun, data: Sequence[Path], output: Path, config: ConversionConfig
) -> None:
    """Convert the classifier of a training; see `conversion.convert`.

    Args:
        run: What `maskwatch train` left behind.
        data: Data sets that hold the faces of that training.
        output: The TFLite file.
        config: See `ConversionConfig`.

    Raises:
        InputError: If the training or the data are unusable.
        ConversionError: If the network cannot be converted, or loses more than it may.
        OutputError: If the file cannot be written.
    """
    faces = find_faces(data, run, tell)
    network = load_network(run.network)
    size = network.input_shape[1]

    def calibrate() -> list[Pixels]:
        crops = choose_crops(faces.fitted, size, config.samples, config.seed, tell)
        tell(f"calibrating on {len(crops)} of {len(faces.fitted)} faces of the training")
        return crops

    def judge(models: Mapping[str, Path]) -> Parity:
        tell(f"comparing on {len(faces.held_out)} faces held out from the training")
        crops = read_crops(faces.held_out.values(), size, tell)
        return compare(models, config.variant, crops, threads=config.threads)

    contract = _contract(run, size, config.variant)
    subject = Subject(
        network,
        contract,
        input_name="face_rgb",
        measure="accuracy",
        calibrate=calibrate,
        compare=judge,
    )
    convert(subject, output, config)


def _contract(run: TrainingRun, input_size: int, variant: str) -> ModelContract:
    return ModelContract(
        labels=LABELS,
        input_size=input_size,
        colour_order=COLOUR_ORDER,
        face_margin=FACE_MARGIN,
        variant=variant,
        package_version=version("maskwatch"),
        data_fingerprint=run.data_fingerprint,
        command=run.command,
    )
