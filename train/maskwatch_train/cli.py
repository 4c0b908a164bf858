"""The command `maskwatch train`."""

from __future__ import annotations

import argparse
from pathlib import Path

from maskwatch_edge.command import Command, count, need, positive, share, whole
from maskwatch_edge.contract import INPUT_SIZE
from maskwatch_edge.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `maskwatch train`."""
    parser.add_argument(
        "data",
        nargs="*",
        type=Path,
        help="data sets: Train|Validation|Test/WithMask|WithoutMask, or with_mask/ and "
        "without_mask/, or images/ and annotations/ (Pascal VOC)",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="RUN", help="folder of the run")
    parser.add_argument(
        "--data",
        dest="download",
        choices=["kaggle"],
        help="also download the Kaggle 12K set with kagglehub",
    )
    parser.add_argument("--resume", action="store_true", help="go on after a kill")
    parser.add_argument(
        "--landmarks",
        type=Path,
        metavar="YUNET.onnx",
        help="YuNet face detector: cuts the faces out of photographs, and lets --composed work",
    )
    network = parser.add_argument_group("network")
    network.add_argument("--size", type=count, default=INPUT_SIZE, help="side of the input, px")
    network.add_argument("--alpha", type=positive, default=1.0, help="width of MobileNetV2")
    network.add_argument("--head", choices=["flatten", "gap"], default="flatten")
    network.add_argument(
        "--weights",
        default="imagenet",
        help="imagenet (downloads), none, or a Keras .weights.h5 file of the backbone",
    )
    training = parser.add_argument_group("training")
    training.add_argument("--epochs", type=count, default=12, help="fine-tuning, at the most")
    training.add_argument("--head-epochs", type=whole, default=1, help="head alone, before that")
    training.add_argument("--batch-size", type=count, default=32)
    training.add_argument("--rate", type=positive, default=1e-4, help="learning rate")
    training.add_argument(
        "--frozen-blocks", type=whole, default=3, help="first blocks of the backbone, 0 to 16"
    )
    training.add_argument("--patience", type=count, default=4, help="epochs until early stop")
    training.add_argument("--seed", type=whole, default=1)
    data = parser.add_argument_group("data")
    data.add_argument(
        "--frame-repeats", type=count, default=3, help="showings an epoch of a face of a frame"
    )
    data.add_argument(
        "--composed", type=whole, default=0, help="faces to add with masks composed onto them"
    )
    data.add_argument("--test-share", type=share, default=0.2, help="held out, scored at the end")
    data.add_argument("--validation-share", type=share, default=0.05, help="chooses the epoch")


def run(options: argparse.Namespace) -> int:
    """Train, and write the report of the run."""
    need("tensorflow", "tensorflow", "train")
    need("imagehash", "ImageHash", "train")
    need("matplotlib", "matplotlib", "train")
    from .run import train

    folders = list(options.data)
    if options.download:
        folders.append(_download_kaggle())
    if not folders:
        raise InputError("no data given; name at least one folder, or use --data kaggle")
    if options.composed and options.landmarks is None:
        raise InputError("--composed needs --landmarks YUNET.onnx")
    if not 0 <= options.frozen_blocks <= 16:
        raise InputError(f"--frozen-blocks must be 0 to 16; received {options.frozen_blocks}")
    train(options, folders)
    return 0


def _download_kaggle() -> Path:
    need("kagglehub", "kagglehub", "train")
    import kagglehub

    try:
        return Path(kagglehub.dataset_download("ashishjangra27/face-mask-12k-images-dataset"))
    except Exception as error:  # kagglehub passes on the errors of several libraries
        raise InputError(f"cannot download the Kaggle 12K set: {error}") from error


COMMAND = Command("train", "train a mask network on labelled pictures", add_arguments, run)
