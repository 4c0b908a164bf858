"""One run of `maskwatch convert`, from the folder of a training to a TFLite file.

This is about classifiers; `finder_conversion` does the same for face finders.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import keras

from maskwatch_edge.contract import COLOUR_ORDER, FACE_MARGIN, LABELS, ModelContract, write_model
from maskwatch_edge.crops import read_crops
from maskwatch_edge.frame import Pixels

from .calibration import RunFaces, choose_crops, find_faces
from .converter import convert_variants, load_network
from .converting import ConversionConfig, check_loss, tell, written_models
from .parity import REFERENCE, Parity, compare
from .training_run import TrainingRun


def convert(run: TrainingRun, data: Sequence[Path], output: Path, config: ConversionConfig) -> None:
    """Convert the classifier of a training, compare it with the float one, and write the file.

    The table of the comparison goes to stdout, whether the variant is accepted or not.

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
    contract = _contract(run, network.input_shape[1], config.variant)
    flatbuffers = _convert_both(network, faces, config)
    parity = _compare(flatbuffers, contract, faces, config)
    print(parity.table())  # noqa: T201
    check_loss(parity.variant, parity.lost_points, "accuracy", config.max_drop)
    write_model(output, flatbuffers[config.variant], replace(contract, scores=parity.scores()))
    tell(f"wrote {output}")


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


def _convert_both(
    network: keras.Model, faces: RunFaces, config: ConversionConfig
) -> dict[str, bytes]:
    """Return the flatbuffers of the float model and of the variant, which may be the same."""
    crops: list[Pixels] = []
    if config.variant == "int8":
        crops = choose_crops(
            faces.fitted, network.input_shape[1], config.samples, config.seed, tell
        )
        tell(f"calibrating on {len(crops)} of {len(faces.fitted)} faces of the training")
    return convert_variants(network, (REFERENCE, config.variant), crops, "face_rgb")


def _compare(
    flatbuffers: dict[str, bytes],
    contract: ModelContract,
    faces: RunFaces,
    config: ConversionConfig,
) -> Parity:
    """Let the edge load both models as it would on the board, and judge the held-out faces."""
    tell(f"comparing on {len(faces.held_out)} faces held out from the training")
    crops = read_crops(faces.held_out.values(), contract.input_size, tell)
    with written_models(flatbuffers, contract) as models:
        return compare(models, config.variant, crops, threads=config.threads)
