"""The command `maskwatch train`."""

from __future__ import annotations

import argparse
from pathlib import Path

from maskwatch_edge.command import Command, count, need, positive, share, whole
from maskwatch_edge.contract import INPUT_SIZE
from maskwatch_edge.errors import InputError

from .config import TrainingConfig, names_network
from .options import add_alpha, add_run_options, add_seed, add_split_options, check_options
from .start_up import load_tensorflow

MAX_FROZEN_BLOCKS = 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `maskwatch train`."""
    parser.add_argument(
        "data",
        nargs="*",
        type=Path,
        help="data sets: Train|Validation|Test/WithMask|WithoutMask, or with_mask/ and "
        "without_mask/, or images/ and annotations/ (Pascal VOC)",
    )
    add_run_options(parser)
    parser.add_argument(
        "--data",
        dest="download",
        choices=["kaggle"],
        help="also download the Kaggle 12K set with kagglehub",
    )
    parser.add_argument(
        "--landmarks",
        type=Path,
        metavar="YUNET.onnx",
        help="YuNet face detector: cuts the faces out of photographs, and lets --composed work",
    )
    _add_network_options(parser)
    _add_training_options(parser)
    _add_data_options(parser)


def _add_network_options(parser: argparse.ArgumentParser) -> None:
    network = parser.add_argument_group("network")
    network.add_argument(
        "--size", type=count, metavar="PX", default=INPUT_SIZE, help="side of the square input"
    )
    add_alpha(network.add_argument)
    network.add_argument(
        "--head",
        choices=["flatten", "gap"],
        default="flatten",
        help="what stands between MobileNetV2 and the two scores: all places, or their average",
    )
    network.add_argument(
        "--weights",
        metavar="imagenet|none|FILE",
        default="imagenet",
        help="start of the backbone: downloaded, random, or a Keras .weights.h5 file; or the "
        "model.keras of an earlier run, to go on from that with other data or options, or with "
        "the channels of it that matter most if its --alpha was higher",
    )


def _add_training_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("training").add_argument
    add(
        "--teacher",
        type=Path,
        metavar="RUN|FILE.keras",
        help="also learn what the network of this finished run answers to the same crops: for a "
        "small network, from a large one (knowledge distillation)",
    )
    add("--epochs", type=count, metavar="N", default=12, help="of fine-tuning, at the most")
    add("--head-epochs", type=whole, metavar="N", default=1, help="of the head, before that")
    add("--batch-size", type=count, metavar="N", default=32, help="faces a step")
    add("--rate", type=positive, metavar="X", default=1e-4, help="learning rate of fine-tuning")
    add(
        "--frozen-blocks",
        type=whole,
        metavar="N",
        default=3,
        help="first blocks of the backbone that stay as they are, 0 to 16",
    )
    add(
        "--dropout",
        type=share,
        metavar="X",
        default=TrainingConfig.dropout,
        help="share of the head's inputs dropped in each step, 0 to 1",
    )
    add(
        "--start-share",
        type=share,
        metavar="X",
        default=TrainingConfig.start_share,
        help="keep the mean of the weights that the run began with and those that it learned, the "
        "former with this share, 0 to 1; needs --weights RUN/model.keras. A finished run is mixed "
        "anew with --resume and another share",
    )
    add("--patience", type=count, metavar="N", default=4, help="epochs until an early stop")
    add_seed(add)


def _add_data_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("data").add_argument
    add(
        "--frame-repeats",
        type=count,
        metavar="N",
        default=TrainingConfig.frame_repeats,
        help="how often an epoch shows a face of an annotated frame",
    )
    add(
        "--worn-wrong-repeats",
        type=count,
        metavar="N",
        default=TrainingConfig.worn_wrong_repeats,
        help="how much more often it shows one with a mask worn wrong, which are rare",
    )
    add(
        "--relabel",
        metavar="shipped|FILE",
        help="take listed pictures for what they show, not for what was published: our lists of "
        "the Kaggle 12K set and of mask-photos, or a file of lines with SHA-256 and label. What is "
        "scored stays as published",
    )
    add(
        "--copies",
        choices=["apart", "published"],
        default="apart",
        help="what becomes of changed copies of held-out pictures, told by their names, of which "
        "the Kaggle 12K set has many: left out, or learned, as they were published",
    )
    add(
        "--finder",
        metavar="shipped|FILE.tflite",
        help="also learn each annotated face as this finder boxes it: ours, or another one of "
        "maskwatch convert. What is held out stays as people boxed it",
    )
    add(
        "--composed",
        type=whole,
        metavar="N",
        default=0,
        help="faces to add with masks composed onto them, most of them worn wrong",
    )
    add_split_options(add, "unpublished data", "chooses the epoch")


def run(options: argparse.Namespace) -> int:
    """Train, and write the report of the run."""
    _check(options)
    load_tensorflow()
    need("imagehash", "ImageHash", "train")
    need("matplotlib", "matplotlib", "train")
    from .run import train

    folders = list(options.data)
    if options.download:
        folders.append(_download_kaggle())
    train(options, folders)
    return 0


def _check(options: argparse.Namespace) -> None:
    """Refuse what cannot work before minutes are spent on it."""
    if not options.data and not options.download:
        raise InputError("no data given; name at least one folder, or use --data kaggle")
    if options.composed and options.landmarks is None:
        raise InputError("--composed needs --landmarks YUNET.onnx")
    if options.start_share and not names_network(options.weights):
        raise InputError("--start-share needs --weights RUN/model.keras, an earlier run's network")
    if options.size % 32:
        raise InputError(f"--size must be a multiple of 32 pixels; received {options.size}")
    check_options(options, MAX_FROZEN_BLOCKS)


def _download_kaggle() -> Path:
    need("kagglehub", "kagglehub", "train")
    import kagglehub

    try:
        return Path(kagglehub.dataset_download("ashishjangra27/face-mask-12k-images-dataset"))
    except Exception as error:  # kagglehub passes on the errors of several libraries
        raise InputError(f"cannot download the Kaggle 12K set: {error}") from error


COMMAND = Command("train", "train a mask network on labelled pictures", add_arguments, run)
