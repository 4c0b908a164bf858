"""The subcommands that run on the board."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .bench.command import COMMAND as BENCH
from .cameras.sources import FolderSource, open_source
from .command import Command
from .config import Thresholds
from .config.command import COMMAND as CONFIG
from .deploy.command import COMMAND as DEPLOY
from .doctor.command import COMMAND as DOCTOR
from .errors import SourceError
from .evaluate.command import COMMAND as EVALUATE
from .finders import open_finder
from .lamps.command import COMMAND as LAMP
from .loop import closing_all, stopped_by_signals, watch
from .models_command import COMMAND as MODELS
from .pipeline import Watcher
from .run_command import COMMAND as RUN
from .sinks import AnnotatedFiles, JsonLines, Sink, TextLines
from .watch_options import (
    add_finder,
    add_model_file,
    add_model_options,
    add_watch_options,
    classifier_of,
    faces_of,
    model_of,
)


def _watcher(options: argparse.Namespace) -> Watcher:
    thresholds = Thresholds(options.min_face_score, options.min_score)
    finder = open_finder(faces_of(options, options.finder), model_of(options))
    return Watcher(finder, classifier_of(options, options.model), thresholds)


def _add_detect_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("sources", nargs="+", metavar="SOURCE", help="pictures, folders, videos")
    add_model_file(parser)
    parser.add_argument(
        "--jsonl",
        action="store_true",
        help="print one JSON object a line for every frame; without it, a line for every "
        "picture, and for every change in a video",
    )
    parser.add_argument(
        "--annotate", type=Path, metavar="DIR", help="write the frames with boxes drawn on them"
    )
    add_finder(parser)
    add_watch_options(parser)
    add_model_options(parser)


def _detect(options: argparse.Namespace) -> int:
    """Judge all sources; an unreadable one is told, the rest goes on, and the exit code is 1."""
    watcher = _watcher(options)
    sinks: list[Sink] = [JsonLines() if options.jsonl else TextLines()]
    if options.annotate:
        sinks.append(AnnotatedFiles(options.annotate))
    failures = 0
    with stopped_by_signals() as stop, closing_all(sinks):
        for name in options.sources:
            if stop.is_set():
                break
            try:
                with open_source(name) as source:
                    watch(source, watcher, sinks, stop)
                    failures += source.failures if isinstance(source, FolderSource) else 0
            except SourceError as error:
                failures += 1
                print(f"maskwatch detect: error: {error}", file=sys.stderr)  # noqa: T201
    return 1 if failures else 0


def _add_demo_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("clip", type=Path, metavar="CLIP.mp4", help="where the clip is written")


def _demo(options: argparse.Namespace) -> int:
    from .demo import write_clip

    frames = write_clip(options.clip)
    print(f"wrote {frames} frames to {options.clip}")  # noqa: T201
    return 0


COMMANDS = (
    Command(
        "detect", "judge the faces in pictures, folders and videos", _add_detect_arguments, _detect
    ),
    RUN,
    BENCH,
    CONFIG,
    DEPLOY,
    DOCTOR,
    LAMP,
    EVALUATE,
    MODELS,
    Command(
        "demo",
        "write the demonstration clip",
        _add_demo_arguments,
        _demo,
        "Write a clip of two public-domain portraits with drawn-on masks coming and going, to try "
        "the other commands on.",
    ),
)
