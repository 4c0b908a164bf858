"""Options that every command has which looks for faces and judges them."""

from __future__ import annotations

import argparse
from pathlib import Path

from .command import count, share
from .config import Thresholds
from .faces import DEFAULT_CASCADE
from .interpreter import PACKAGES


def add_model_file(parser: argparse.ArgumentParser) -> None:
    """Declare `--model`."""
    parser.add_argument(
        "--model", type=Path, metavar="TFLITE", help="in place of the model that comes with it"
    )


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
    parser.add_argument(
        "--cascade",
        type=Path,
        metavar="XML",
        default=DEFAULT_CASCADE,
        help="an OpenCV Haar cascade XML in place of the one that comes with Maskwatch",
    )
