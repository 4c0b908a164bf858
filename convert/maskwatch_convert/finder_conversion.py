"""Converting a face finder, from the folder of its training to a TFLite file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from maskwatch_edge.contract import COLOUR_ORDER, FACE, FinderContract
from maskwatch_edge.finders.codes import BoxCode
from maskwatch_edge.frame import Pixels

from .conversion import Subject, convert
from .converter import load_finder, with_input
from .converting import ConversionConfig, tell
from .finder_frames import choose_frames, find_frames, read_frame_pixels
from .finder_parity import FinderParity, compare_finders
from .training_run import TrainingRun


def convert_finder(
    run: TrainingRun, data: Sequence[Path], output: Path, config: ConversionConfig
) -> None:
    """Convert the finder of a training; see `conversion.convert`.

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
    height, width = network.input_shape[1:3]

    def calibrate() -> list[Pixels]:
        pictures = choose_frames(frames.fitted, (width, height), config.samples, config.seed, tell)
        tell(f"calibrating on {len(pictures)} of {len(frames.fitted)} frames of the training")
        return pictures

    def search(models: Mapping[str, Path]) -> FinderParity:
        tell(f"comparing on {len(frames.held_out)} frames held out from the training")
        held_out = read_frame_pixels(list(frames.held_out.values()), tell)
        return compare_finders(models, config.variant, held_out, threads=config.threads)

    contract = _contract(run, (width, height), config.variant)
    subject = Subject(
        network,
        contract,
        input_name="frame_rgb",
        measure="AP50",
        calibrate=calibrate,
        compare=search,
    )
    convert(subject, output, config)


def _contract(run: TrainingRun, input_wh: tuple[int, int], variant: str) -> FinderContract:
    code = BoxCode()
    width, height = input_wh
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
