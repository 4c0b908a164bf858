"""The command line of `maskwatch evaluate`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from maskwatch_edge.classifier import MaskClassifier, model_file, open_classifier
from maskwatch_edge.command import Command, count
from maskwatch_edge.config import FacesConfig, Thresholds
from maskwatch_edge.config.keys import ConfigError
from maskwatch_edge.config.settings import FINDERS
from maskwatch_edge.errors import InputError, ModelError
from maskwatch_edge.finders import open_finder
from maskwatch_edge.pipeline import Watcher
from maskwatch_edge.watch_options import (
    FINDER_HELP,
    MODEL_HELP,
    add_model_options,
    add_watch_options,
    chosen_model,
    faces_of,
    model_of,
)

from .conditions import Conditions
from .groups import Groups
from .output import warn, write_json
from .selection import Selection

ALL = "all"


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=chosen_model, metavar="MODEL", help=MODEL_HELP)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--crops", type=Path, metavar="DIR", help="labelled faces in any layout")
    what.add_argument("--frames", type=Path, metavar="DIR", help="images/ and annotations/")
    _add_selection(parser)
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="also write all figures, and plots beside them"
    )
    parser.add_argument(
        "--report",
        type=Path,
        metavar="DIR",
        help="with --frames: write a page, index.html, with the figures, plots and the worst "
        "mistakes as pictures",
    )
    parser.add_argument(
        "--finder",
        choices=[*FINDERS, ALL],
        action="append",
        help="with --frames; may be given again to compare finders, and all stands for each that "
        f"can be opened. {FINDER_HELP} (default: {FacesConfig().finder})",
    )
    add_watch_options(parser)
    add_model_options(parser)


def _add_selection(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--split", choices=["Train", "Validation", "Test"], help="only this published split"
    )
    parser.add_argument(
        "--held-out",
        type=Path,
        metavar="FILE",
        help="only the faces or frames named there: held_out.txt of a training run",
    )
    parser.add_argument(
        "--difficult",
        type=Path,
        metavar="FILE",
        help="with --frames: faces that nobody annotated, listed as in held_out.txt; to find them "
        "is no false alarm, as with those that an annotation calls difficult. --report writes "
        "a list of its false alarms, to choose them from",
    )
    parser.add_argument(
        "--min-face-size",
        type=count,
        metavar="PX",
        default=32,
        help="leave out annotated faces smaller, px; recall by size is told from 12 px on",
    )
    parser.add_argument(
        "--groups",
        type=Path,
        metavar="FILE",
        nargs="+",
        default=[],
        help="tell apart the faces that each file lists, as benchmarks/ does; a group is named as "
        "its file is",
    )


def _run(options: argparse.Namespace) -> int:
    selection = Selection.read(options.min_face_size, options.split, options.held_out)
    if options.crops:
        _evaluate_crops(options, selection)
    else:
        _evaluate_frames(options, selection)
    return 0


def _evaluate_crops(options: argparse.Namespace, selection: Selection) -> None:
    from .crops import evaluate_crops

    if options.finder or options.report:
        raise InputError("--finder and --report go with --frames: crops are not looked for")
    if options.difficult:
        raise InputError("--difficult goes with --frames: crops have no false alarms")
    classifier = open_classifier(model_of(options))
    groups = Groups.read(options.groups)
    evaluate_crops(classifier, options.crops, selection, options.json, groups)


def _evaluate_frames(options: argparse.Namespace, selection: Selection) -> None:
    from .frames import plot_beside, print_trials, try_finders

    if options.split:
        raise InputError("--split goes with --crops: annotated frames have no published splits")
    classifier = open_classifier(model_of(options))
    watchers, unavailable = open_watchers(options, classifier)
    for name, reason in unavailable.items():
        warn(f"left out: {name}: {reason}")
    groups = Groups.read(options.groups)
    trials = try_finders(
        watchers, options.frames, selection, _conditions(options), groups, options.difficult
    )
    figures = print_trials(trials)
    if options.json:
        write_json(options.json, {"finders": figures, "unavailable": unavailable})
        plot_beside(options.json, trials)
    if options.report:
        _report(options, trials, unavailable)


def _conditions(options: argparse.Namespace) -> Conditions:
    return Conditions(
        options.smallest_face,
        options.min_face_score,
        options.min_score,
        held_out=str(options.held_out or ""),
        difficult=str(options.difficult or ""),
    )


def _report(
    options: argparse.Namespace, trials: Mapping[str, Any], unavailable: Mapping[str, str]
) -> None:
    from .page import write_report

    title = f"{model_file(options.model).name} on {options.frames.absolute().name}"
    print(f"wrote {write_report(options.report, title, trials, unavailable)}")  # noqa: T201


def open_watchers(
    options: argparse.Namespace, classifier: MaskClassifier
) -> tuple[dict[str, Watcher], dict[str, str]]:
    """Open every finder that was asked for.

    Returns:
        Each with the model, by its name; and why another is left out, by its name.

    Raises:
        InputError: If one that was asked for by name cannot be opened.
        ModelError: If it is a broken `.tflite` file.
    """
    asked = options.finder or [FacesConfig().finder]
    names = list(dict.fromkeys([name for name in asked if name != ALL]))
    names += [name for name in FINDERS if ALL in asked and name not in names]
    thresholds = Thresholds(options.min_face_score, options.min_score)
    watchers, unavailable = {}, {}
    for name in names:
        try:
            own = _own_options(options, name) if len(names) > 1 else options
            finder = open_finder(faces_of(own, name), model_of(options))
        except ConfigError:
            raise
        except (InputError, ModelError) as error:
            if name in asked:
                raise
            unavailable[name] = str(error)
        else:
            watchers[name] = Watcher(finder, classifier, thresholds)
    return watchers, unavailable


def _own_options(options: argparse.Namespace, finder: str) -> argparse.Namespace:
    """Leave out the files of the other finders that are compared."""
    own = argparse.Namespace(**vars(options))
    file = options.finder_model
    if file and finder != ("tflite" if file.suffix == ".tflite" else "yunet"):
        own.finder_model = None
    if finder != "haar":
        own.cascade = None
    return own


COMMAND = Command(
    "evaluate",
    "measure a model on labelled faces or annotated frames",
    _add_arguments,
    _run,
    "Measure a model on labelled faces, or finders of faces and a model together on annotated "
    "frames.",
)
