"""`maskwatch detect`: judge the faces in pictures, folders and videos."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .cameras.sources import FolderSource, open_source
from .classifier import open_classifier
from .command import Command
from .config import Thresholds
from .errors import SourceError
from .finders import open_finder
from .loop import closing_all, stopped_by_signals, watch
from .pipeline import Watcher
from .sinks import AnnotatedFiles, JsonLines, Sink, TextLines
from .watch_options import (
    add_finder,
    add_model_file,
    add_model_options,
    add_watch_options,
    faces_of,
    model_of,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
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


def run(options: argparse.Namespace) -> int:
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


def _watcher(options: argparse.Namespace) -> Watcher:
    thresholds = Thresholds(options.min_face_score, options.min_score)
    model = model_of(options)
    finder = open_finder(faces_of(options, options.finder), model)
    return Watcher(finder, open_classifier(model), thresholds)


COMMAND = Command("detect", "judge the faces in pictures, folders and videos", add_arguments, run)
