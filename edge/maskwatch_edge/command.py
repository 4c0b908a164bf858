"""What a subcommand of `maskwatch` is, so that each package can bring its own."""

from __future__ import annotations

import argparse
import importlib
import math
from collections.abc import Callable
from dataclasses import dataclass

from .errors import MissingExtraError


@dataclass(frozen=True)
class Command:
    """One subcommand.

    Attributes:
        name: The word after `maskwatch`.
        summary: One line for the list of commands.
        add_arguments: Declares its options; must import nothing heavy.
        run: Does the work and returns the exit code; imports what it needs.
        description: What `--help` says above the options; the summary if empty.
    """

    name: str
    summary: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]
    description: str = ""


def need(module: str, package: str, extra: str) -> None:
    """Check that an optional package is there before work begins.

    Raises:
        MissingExtraError: With the `pip install` line that mends it.
    """
    try:
        importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError(package, extra) from error


def share(text: str) -> float:
    """Parse a number from 0 to 1 on the command line."""
    value = _number(text)
    if not 0.0 <= value <= 1.0:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 1, received {text!r}")
    return value


def points(text: str) -> float:
    """Parse percentage points, from 0 to 100, on the command line."""
    value = _number(text)
    if not 0.0 <= value <= 100.0:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 100, received {text!r}")
    return value


def positive(text: str) -> float:
    """Parse a number above 0 on the command line."""
    value = _number(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"expected a number above 0, received {text!r}")
    return value


def count(text: str) -> int:
    """Parse a whole number of at least 1 on the command line."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, received {text!r}")
    return int(text)


def whole(text: str) -> int:
    """Parse a whole number of at least 0 on the command line."""
    return 0 if text == "0" else count(text)


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"expected a number, received {text!r}")
    return value
