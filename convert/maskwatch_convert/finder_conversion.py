"""Converting a face finder, from the folder of its training to a TFLite file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import keras

from maskwatch_edge.contract import COLOUR_ORDER, FACE, FinderContract, write_model
from maskwatch_edge.finders.codes import BoxCode
from maskwatch_edge.frame import Pixels

from .converter import convert_variants, load_finder, with_input
from .converting import ConversionConfig, check_loss, tell, written_models
from .finder_frames import RunFrames, choose_frames, find_frames, read_frame_pixels
from .finder_parity import FinderParity, compare_finders
from .parity import REFERENCE
from .training_run import TrainingRun


def convert_finder(
    run: TrainingRun, data: Sequence[Path], output: Path, config: ConversionConfig
) -> None:
    """Convert the finder of a training, compare it with the float one, and write the file.

    The table of the comparison goes to stdout, whether the variant is accepted or not.

    Args:
        run: What `maskwatch train-finder` left behind.
        data: Data sets that hold the annotated frames of that training.
        output: The TFLite file.
        config: See `ConversionConfig`.

    Raises:
        InputError: If the training or the data are unusable.
        ConversionError: If the network cannot be converted, or loses more than it may.
        OutputError: If the file cannot be written.
    """
    frames = find_frames(data, run, tell)
    network = load_finder(run.network)
    if config.input_wh:
        network = with_input(network, config.input_wh)
    contract = _contract(run, network, config.variant)
    flatbuffers = _convert_both(network, frames, config)
    parity = _compare(flatbuffers, contract, frames, config)
    print(parity.table())  # noqa: T201
    check_loss(parity.variant, parity.lost_points, "AP50", config.max_drop)
    write_model(output, flatbuffers[config.variant], replace(contract, scores=parity.scores()))
    tell(f"wrote {output}")


def _contract(run: TrainingRun, network: keras.Model, variant: str) -> FinderContract:
    code = BoxCode()
    height, width = network.input_shape[1:3]
    return FinderContract(
        labels=(FACE,),
        input_width=width,
        input_height=height,
        stride=code.stride,
        reference_size=code.reference_size,
        reach=code.reach,
        colour_order=COLOUR_ORDER,
        variant=variant,
        package_version=version("maskwatch"),
        data_fingerprint=run.data_fingerprint,
        command=run.command,
    )


def _convert_both(
    network: keras.Model, frames: RunFrames, config: ConversionConfig
) -> dict[str, bytes]:
    """Return the flatbuffers of the float model and of the variant, which may be the same."""
    pictures: list[Pixels] = []
    if config.variant == "int8":
        height, width = network.input_shape[1:3]
        pictures = choose_frames(frames.fitted, (width, height), config.samples, config.seed, tell)
        tell(f"calibrating on {len(pictures)} of {len(frames.fitted)} frames of the training")
    return convert_variants(network, (REFERENCE, config.variant), pictures, "frame_rgb")


def _compare(
    flatbuffers: dict[str, bytes],
    contract: FinderContract,
    frames: RunFrames,
    config: ConversionConfig,
) -> FinderParity:
    """Let the edge load both models as it would on the board, and search the held-out frames."""
    tell(f"comparing on {len(frames.held_out)} frames held out from the training")
    held_out = read_frame_pixels(list(frames.held_out.values()), tell)
    with written_models(flatbuffers, contract) as models:
        return compare_finders(models, config.variant, held_out, threads=config.threads)
