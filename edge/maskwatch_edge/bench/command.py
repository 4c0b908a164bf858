"""The command line of `maskwatch bench`."""

from __future__ import annotations

import argparse
import json

from maskwatch_edge.command import Command, count, positive
from maskwatch_edge.config.command import load_from_options
from maskwatch_edge.run_command import add_arguments as add_run_arguments
from maskwatch_edge.run_command import flags_of

from .clip import SHIPPED_CLIP

FRAMES = 300


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `maskwatch run`, and how much is measured."""
    add_run_arguments(parser)
    parser.set_defaults(source=str(SHIPPED_CLIP), display="none")
    group = parser.add_argument_group("measurement")
    group.add_argument(
        "--frames", type=count, metavar="N", default=FRAMES, help="how many frames are measured"
    )
    group.add_argument(
        "--rate",
        type=positive,
        metavar="FPS",
        help="offer the frames of a file at this rate, as a camera does, and drop what is not "
        "taken in time; without it, each as soon as the one before is done",
    )
    group.add_argument("--json", action="store_true", help="print one JSON object")


def run(options: argparse.Namespace) -> int:
    """Measure, with a bar on the terminal meanwhile, and print the figures."""
    from maskwatch_edge.doctor.system import RealSystem

    from .bench import Task, bench
    from .figures import to_text
    from .progress import Progress

    task = Task(load_from_options(options, flags_of(options)), options.frames, options.rate)
    progress = Progress(task.frames)
    try:
        figures = bench(task, RealSystem(), progress.show)
    finally:
        progress.clear()
    text = json.dumps(figures.to_dict(), indent=2) if options.json else to_text(figures)
    print(text)  # noqa: T201
    return 0


COMMAND = Command(
    "bench",
    "measure how fast this machine watches",
    add_arguments,
    run,
    "Let the service of maskwatch run watch the demonstration clip, or another source, and tell "
    "how fast it goes and what takes the time. Then the program is started once more, to see how "
    "long it takes to its first verdict and how much memory it needs. Options and settings are "
    "those of maskwatch run; lamps stay dark.",
)
