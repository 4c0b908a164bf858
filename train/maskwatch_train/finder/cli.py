"""The command `maskwatch train-finder`."""

from __future__ import annotations

import argparse
from pathlib import Path

from maskwatch_edge.command import Command, count, need, positive, whole
from maskwatch_edge.errors import InputError
from maskwatch_train.config import names_network
from maskwatch_train.options import (
    add_alpha,
    add_run_options,
    add_seed,
    add_split_options,
    check_options,
)
from maskwatch_train.start_up import load_tensorflow

from .config import EXPANSION

MAX_FROZEN_BLOCKS = 12


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `maskwatch train-finder`."""
    parser.add_argument(
        "data",
        nargs="+",
        type=Path,
        metavar="DATA",
        help="annotated frames (images/ and annotations/), which are learned and scored; with "
        "--landmarks also photographs or crops in the layouts of maskwatch train, only learned",
    )
    add_run_options(parser)
    parser.add_argument(
        "--landmarks",
        type=Path,
        metavar="YUNET.onnx",
        help="YuNet face detector: the teacher that boxes the faces of other pictures",
    )
    parser.add_argument(
        "--finder",
        metavar="shipped|FILE.tflite",
        help="a second teacher beside it, for masked faces that YuNet does not see: ours, or "
        "another one of maskwatch convert",
    )
    _add_network_options(parser)
    _add_training_options(parser)
    add = parser.add_argument_group("data").add_argument
    add_split_options(add, "the frames", "is scored after every epoch")


def _add_network_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("network").add_argument
    add("--width", type=count, metavar="PX", default=320, help="of the input, a multiple of 32")
    add("--height", type=count, metavar="PX", default=256, help="of the input, a multiple of 32")
    add_alpha(add)
    add(
        "--expansion",
        type=positive,
        metavar="X",
        default=EXPANSION,
        help="channels inside its blocks for each that they take, at most 6: half costs half",
    )
    add("--channels", type=count, metavar="N", default=96, help="of the layers added to it")
    add(
        "--weights",
        metavar="imagenet|none|FILE",
        default="imagenet",
        help="start of the backbone: downloaded, random, or a Keras .weights.h5 file; or the "
        "model.keras of an earlier run, to go on from that with other data, options or sizes",
    )


def _add_training_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("training").add_argument
    add("--epochs", type=count, metavar="N", default=30, help="checkpoints to the end")
    add("--steps", type=count, metavar="N", default=100, help="batches an epoch")
    add("--batch-size", type=count, metavar="N", default=16, help="scenes a step")
    add("--rate", type=positive, metavar="X", default=1e-3, help="highest learning rate")
    add(
        "--frozen-blocks",
        type=whole,
        metavar="N",
        default=1,
        help="first blocks of the backbone that stay as they are, 0 to 12",
    )
    add_seed(add)


def run(options: argparse.Namespace) -> int:
    """Train, and write the report of the run."""
    _check(options)
    load_tensorflow()
    need("imagehash", "ImageHash", "train")
    from .run import train

    train(options)
    return 0


def _check(options: argparse.Namespace) -> None:
    """Refuse what cannot work before minutes are spent on it."""
    for name in ("width", "height"):
        if getattr(options, name) % 32:
            raise InputError(
                f"--{name} must be a multiple of 32 pixels; received {getattr(options, name)}"
            )
    if options.expansion > EXPANSION:
        raise InputError(
            f"--expansion must be at most {EXPANSION:g}, that of MobileNetV2; "
            f"received {options.expansion:g}"
        )
    check_options(options, MAX_FROZEN_BLOCKS)
    if options.finder and options.landmarks is None:
        raise InputError("--finder teaches beside YuNet; give --landmarks YUNET.onnx, too")
    is_thinned = options.expansion != EXPANSION and not names_network(options.weights)
    if is_thinned and options.frozen_blocks:
        raise InputError(
            "a thinned backbone has lost some of what it knew, and all of its blocks must make up "
            f"for it; give --frozen-blocks 0 with --expansion {options.expansion:g}"
        )


COMMAND = Command("train-finder", "train a face finder on annotated frames", add_arguments, run)
