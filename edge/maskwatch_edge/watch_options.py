"""Options that every command has which looks for faces and judges them."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from .command import count, share
from .config import FacesConfig, ModelConfig, Thresholds
from .config.settings import FINDERS
from .interpreter import PACKAGES
from .models import SHIPPED_MODELS

MODEL_HELP = (
    f"{' or '.join(SHIPPED_MODELS)}, which come with Maskwatch, or a .tflite of maskwatch convert"
)
FINDER_HELP = (
    "tflite comes with Maskwatch, or is one of your own, of maskwatch train-finder; tflite-small, "
    "which comes with it, too, is quicker and finds a little less; yunet is there after: maskwatch "
    "models get yunet; haar misses most masked faces"
)


def add_model_file(parser: argparse.ArgumentParser) -> None:
    """Declare `--model`."""
    parser.add_argument("--model", type=chosen_model, metavar="MODEL", help=MODEL_HELP)


def chosen_model(text: str) -> ModelConfig:
    """Parse which mask model is meant: a name in `SHIPPED_MODELS`, or else a path."""
    is_name = text in SHIPPED_MODELS
    return ModelConfig(shipped=text) if is_name else ModelConfig(path=Path(text))


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """Declare how the model is run."""
    group = parser.add_argument_group("model")
    group.add_argument(
        "--interpreter",
        choices=["auto", *PACKAGES],
        default="auto",
        help="the package that runs the model",
    )
    group.add_argument(
        "--threads",
        type=count,
        metavar="N",
        help="threads of the model; never more than there are cores",
    )
    group.add_argument(
        "--trust",
        type=Path,
        metavar="KEYS",
        help="public keys of maskwatch keys, one a line: refuse a model or finder of yours that "
        "none of them signed",
    )


def add_watch_options(parser: argparse.ArgumentParser) -> None:
    """Declare how faces are found, and when something is claimed of them."""
    defaults = Thresholds()
    parser.add_argument(
        "--min-face-score",
        type=share,
        metavar="X",
        default=defaults.min_face_score,
        help="ignore faces that the finder scores lower, 0 to 1",
    )
    parser.add_argument(
        "--min-score",
        type=share,
        metavar="X",
        default=defaults.min_score,
        help="call verdicts that the model scores lower unsure, 0 to 1",
    )
    _add_finder_options(parser)


def add_finder(parser: argparse.ArgumentParser) -> None:
    """Declare `--finder`, for commands that use one."""
    parser.add_argument("--finder", choices=FINDERS, default=FacesConfig().finder, help=FINDER_HELP)


def _add_finder_options(parser: argparse.ArgumentParser) -> None:
    defaults = FacesConfig()
    group = parser.add_argument_group("finder of faces")
    group.add_argument(
        "--smallest-face",
        type=count,
        metavar="PX",
        default=defaults.min_size_px,
        help="side of the smallest face that is looked for, px",
    )
    group.add_argument(
        "--finder-model",
        type=Path,
        metavar="FILE",
        help="the .tflite of tflite, in place of the one that comes with it; or the .onnx of "
        "yunet, in place of where maskwatch models get puts it",
    )
    group.add_argument(
        "--work-size",
        type=count,
        metavar="PX",
        default=defaults.work_size_px,
        help="yunet sees larger frames so small that their long side is this, px",
    )
    group.add_argument(
        "--cascade",
        type=Path,
        metavar="XML",
        help="of haar: an OpenCV cascade in place of the one that comes with Maskwatch",
    )


def faces_of(options: argparse.Namespace, finder: str) -> FacesConfig:
    """Return how faces are found by that finder, as the options of a command say.

    Raises:
        ConfigError: If a value is out of its range.
    """
    return FacesConfig(
        finder=finder,
        model=options.finder_model,
        work_size_px=options.work_size,
        cascade=options.cascade,
        min_size_px=options.smallest_face,
        min_score=options.min_face_score,
    )


def model_of(options: argparse.Namespace) -> ModelConfig:
    """Return which model judges and how models are run, as the options of a command say.

    Raises:
        ConfigError: If a value is out of its range.
    """
    chosen = options.model or ModelConfig()
    return replace(
        chosen,
        interpreter=options.interpreter,
        threads=options.threads,
        trusted_keys=options.trust,
    )
