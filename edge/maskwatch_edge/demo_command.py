"""`maskwatch demo`: write a clip to try the other commands on."""

from __future__ import annotations

import argparse
from pathlib import Path

from .command import Command
from .demo import write_clip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("clip", type=Path, metavar="CLIP.mp4", help="where the clip is written")


def run(options: argparse.Namespace) -> int:
    """Write the clip."""
    frames = write_clip(options.clip)
    print(f"wrote {frames} frames to {options.clip}")  # noqa: T201
    return 0


COMMAND = Command(
    "demo",
    "write the demonstration clip",
    add_arguments,
    run,
    "Write a clip of two public-domain portraits with drawn-on masks coming and going, to try the "
    "other commands on.",
)
