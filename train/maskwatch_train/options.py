"""What the options of both trainings must fulfil."""

from __future__ import annotations

import argparse
from pathlib import Path

from maskwatch_edge.errors import InputError


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
