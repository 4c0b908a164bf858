"""The options that both trainings have, and what they must fulfil."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from maskwatch_edge.command import positive, share, whole
from maskwatch_edge.errors import InputError

from .config import CommonConfig

Add: TypeAlias = Callable[..., object]
"""`add_argument` of a group of options."""

SHIPPED = "shipped"
"""Names what comes with Maskwatch, in the place of a file: a finder, or a list of labels."""


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Declare where a run is written, and that it may go on."""
    parser.add_argument("--out", type=Path, required=True, metavar="RUN", help="folder of the run")
    parser.add_argument("--resume", action="store_true", help="go on after a kill")


def add_alpha(add: Add) -> None:
    """Declare `--alpha`."""
    default = CommonConfig.alpha
    add("--alpha", type=positive, metavar="X", default=default, help="width of MobileNetV2")


def add_seed(add: Add) -> None:
    """Declare `--seed`."""
    default = CommonConfig.seed
    add("--seed", type=whole, metavar="N", default=default, help="start of every random draw")


def add_split_options(add: Add, pool: str, validation: str) -> None:
    """Declare what is held out.

    Args:
        add: Declares an option of the group.
        pool: Of what a share is scored, in words.
        validation: What the validation share does, in words.
    """
    add(
        "--test-share",
        type=share,
        metavar="X",
        default=CommonConfig.test_share,
        help=f"share of {pool} that is held out and scored at the end, 0 to 1",
    )
    add(
        "--fold",
        type=whole,
        metavar="K",
        default=CommonConfig.fold,
        help="which share is held out, from 0: runs that differ only in this score every picture",
    )
    add(
        "--validation-share",
        type=share,
        metavar="X",
        default=CommonConfig.validation_share,
        help=f"share that {validation}, 0 to 1",
    )


def check_options(options: argparse.Namespace, max_frozen_blocks: int) -> None:
    """Refuse what cannot work before minutes are spent on it.

    Args:
        options: With `frozen_blocks`, `fold`, `test_share` and `weights`.
        max_frozen_blocks: How many blocks of the backbone there are to freeze.

    Raises:
        InputError: With what was expected.
    """
    if not 0 <= options.frozen_blocks <= max_frozen_blocks:
        raise InputError(
            f"--frozen-blocks must be 0 to {max_frozen_blocks}; received {options.frozen_blocks}"
        )
    if (options.fold + 1) * options.test_share > 1 + 1e-9:
        raise InputError(
            f"--fold {options.fold} is beyond the data: with --test-share {options.test_share:g} "
            f"folds count from 0 to {int(1 / options.test_share + 1e-9) - 1}"
        )
    if options.weights not in ("imagenet", "none") and not Path(options.weights).is_file():
        raise InputError(
            f"there is no weights file {options.weights}; expected imagenet, none or a file"
        )
