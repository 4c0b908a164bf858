"""The command `maskwatch convert`."""

from __future__ import annotations

import argparse
import re
from dataclasses import fields
from pathlib import Path

from maskwatch_edge.command import Command, count, need, points, whole
from maskwatch_edge.contract import FINDER, VARIANTS
from maskwatch_edge.errors import InputError
from maskwatch_edge.quiet import quiet


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `maskwatch convert`."""
    parser.add_argument(
        "run_folder", metavar="RUN", type=Path, help="folder of maskwatch train, or of train-finder"
    )
    parser.add_argument(
        "--calibrate",
        nargs="+",
        required=True,
        type=Path,
        metavar="DATA",
        help="the data sets of that training: faces or frames it was trained on calibrate the "
        "model, those it has held out score it",
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE.tflite", help="the model to write"
    )
    parser.add_argument(
        "--variant", choices=VARIANTS, default="int8", help="the numbers that it computes with"
    )
    parser.add_argument(
        "--input",
        dest="input_wh",
        type=_size,
        metavar="WxH",
        help="of a finder: another size of its input than it was trained with, px; the time grows "
        "with the area, and small faces need it",
    )
    parser.add_argument(
        "--max-drop",
        type=points,
        default=0.5,
        metavar="POINTS",
        help="percentage points of accuracy, or of AP50, that it may lose against float32",
    )
    parser.add_argument(
        "--samples",
        type=count,
        default=400,
        help="faces (half of each label) or frames that calibrate int8",
    )
    parser.add_argument("--seed", type=whole, default=1, help="decides which of them calibrate")
    parser.add_argument(
        "--threads", type=count, default=1, help="threads while the models are compared"
    )


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)x(\d+)", text)
    sides = (int(match[1]), int(match[2])) if match else (0, 0)
    if any(side % 32 or side < 32 for side in sides):
        raise argparse.ArgumentTypeError(
            f"expected WIDTHxHEIGHT, both multiples of 32 pixels, such as 256x192; received {text}"
        )
    return sides


def run(options: argparse.Namespace) -> int:
    """Convert, compare and write."""
    with quiet():
        need("tensorflow", "tensorflow", "train")
        from .classifier_conversion import convert_classifier
        from .finder_conversion import convert_finder
    from .converting import ConversionConfig
    from .training_run import TrainingRun

    given = vars(options)
    config = ConversionConfig(**{f.name: given[f.name] for f in fields(ConversionConfig)})
    training = TrainingRun.read(options.run_folder)
    if config.input_wh and training.kind != FINDER:
        raise InputError(
            f"--input is for finders; {options.run_folder} holds a mask model, whose size is "
            "chosen when it is trained"
        )
    make = convert_finder if training.kind == FINDER else convert_classifier
    make(training, options.calibrate, options.out, config)
    return 0


COMMAND = Command(
    "convert",
    "convert a trained network to TFLite, and prove that it kept its accuracy",
    add_arguments,
    run,
)
