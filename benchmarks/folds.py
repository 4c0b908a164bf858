"""Finder and mask model of several folds, measured as one on the frames that neither ever saw.

    python -m benchmarks.folds ../shared/data/mask-frames \
        --fold mask0.tflite finder0.tflite runs/mask0/held_out.txt runs/finder0/held_out.txt \
        --fold mask1.tflite finder1.tflite runs/mask1/held_out.txt runs/finder1/held_out.txt

A frame counts where all lists of its fold name it. The score from which a face counts is varied,
and at last chosen for each fold with the frames of the others, its own left out.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskwatch_edge.classifier import MaskClassifier
from maskwatch_edge.config import FacesConfig, Thresholds
from maskwatch_edge.dataset import LabelledFrame, read_frames
from maskwatch_edge.errors import InputError, MaskwatchError
from maskwatch_edge.evaluate.difficult import with_difficult
from maskwatch_edge.evaluate.selection import Selection, read_identities
from maskwatch_edge.evaluate.tables import NOUNS
from maskwatch_edge.finders import TfliteFinder
from maskwatch_edge.finders.scoring import FALSE_ALARMS
from maskwatch_edge.frame import Frame
from maskwatch_edge.metrics import FrameScorer
from maskwatch_edge.pictures import read_picture
from maskwatch_edge.pipeline import Watcher
from maskwatch_edge.verdict import Sighting

from .measuring import print_table, write_figures

SCORES = (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6)
"""Scores of a face from which it counts, as `--min-face-score`."""


@dataclass(frozen=True)
class Seen:
    """One annotated frame, and what the networks of its fold saw in it, surest face first."""

    labelled: LabelledFrame
    sightings: Sequence[Sighting]


Fold = Sequence[Seen]
"""The frames of one fold."""


def main() -> None:
    """Measure, print and write."""
    options = _options()
    try:
        frames = read_frames(options.frames)
        if options.difficult:
            frames = with_difficult(frames, options.difficult)
        folds = [look(frames, options.smallest_face, *map(Path, fold)) for fold in options.fold]
    except MaskwatchError as error:
        sys.exit(f"folds: {error}")
    rows = {
        f"{score:g}": figures_of(folds, [score] * len(folds), options.min_face_size)
        for score in SCORES
    }
    if len(folds) > 1:
        size = options.min_face_size
        chosen = [choose(others_of(folds, place), size) for place in range(len(folds))]
        rows["chosen"] = figures_of(folds, chosen, options.min_face_size)
        print("chosen with the other folds:", ", ".join(f"{score:g}" for score in chosen))
    print_table("score", {name: headline(figures) for name, figures in rows.items()})
    write_figures(options.json, {"scores": rows})


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("frames", type=Path, help="annotated frames, images/ and annotations/")
    add(
        "--fold",
        nargs="+",
        action="append",
        required=True,
        metavar="FILE",
        help="mask model, finder, and the held_out.txt of their runs; given for each fold",
    )
    add("--difficult", type=Path, metavar="FILE", help="as of maskwatch evaluate")
    add("--min-face-size", type=int, default=32, help="leave out annotated faces smaller, px")
    smallest = FacesConfig().min_size_px
    add("--smallest-face", type=int, default=smallest, help="drop boxes smaller, px")
    add("--json", type=Path, default=Path("build/folds.json"), help="file of figures")
    options = parser.parse_args()
    if any(len(fold) < 3 for fold in options.fold):
        parser.error("--fold takes a mask model, a finder, and at least one held_out.txt")
    return options


def look(
    frames: Iterable[LabelledFrame], smallest_face: int, model: Path, finder: Path, *lists: Path
) -> list[Seen]:
    """Look at all frames of a fold.

    Args:
        frames: Annotated ones.
        smallest_face: Boxes with a shorter side, in pixels, are dropped.
        model: Mask model.
        finder: Face finder.
        lists: Only frames with a face that every one of them names are looked at.

    Raises:
        InputError: If a list cannot be read, or no frame is named by all of them.
        ModelError: If a network cannot be used.
    """
    held_out = frozenset.intersection(*map(read_identities, lists))
    named = list(filter(Selection(smallest_face, held_out=held_out).has_frame, frames))
    if not named:
        raise InputError(f"no frame is named by all of {', '.join(map(str, lists))}")
    watcher = Watcher(
        TfliteFinder(finder, min_score=min(SCORES), min_size=smallest_face),
        MaskClassifier(model),
        Thresholds(min_face_score=min(SCORES)),
    )
    return [
        Seen(one, watcher.look(Frame(read_picture(one.path), 0, 0.0, str(one.path))))
        for one in named
    ]


def others_of(folds: Sequence[Fold], place: int) -> list[Fold]:
    """Return all folds but one."""
    return [fold for other, fold in enumerate(folds) if other != place]


def figures_of(
    folds: Sequence[Fold], scores: Sequence[float], min_face_size: int = 32
) -> dict[str, Any]:
    """Score all frames of all folds as one.

    Args:
        folds: What was seen.
        scores: The score of a face from which it counts, one for each fold.
        min_face_size: Shorter side in pixels from which an annotated face counts.

    Returns:
        As `FrameScorer.result`.
    """
    scorer = FrameScorer(min_face_size)
    for fold, score in zip(folds, scores, strict=True):
        for seen in fold:
            counted = [one for one in seen.sightings if one.box.score >= score]
            scorer.add(seen.labelled.faces, counted, seen.labelled.difficult)
    return scorer.result()


def choose(folds: Sequence[Fold], min_face_size: int = 32) -> float:
    """Return the least of `SCORES` with few enough false alarms, or the greatest."""
    for score in SCORES:
        figures = figures_of(folds, [score] * len(folds), min_face_size)
        if figures["false_alarms_per_frame"] <= FALSE_ALARMS:
            return score
    return SCORES[-1]


def headline(figures: Mapping[str, Any]) -> dict[str, str]:
    """Lay out what one row of the table shows."""
    row = {
        "mAP50": f"{figures['map50']:.3f}",
        "false alarms": f"{figures['false_alarms_per_frame']:.3f}",
    }
    for kind, noun in NOUNS.items():
        if outcome := figures["outcomes"].get(kind):
            found = outcome["faces"] - outcome["missed"]
            row[f"{noun}: found, right"] = f"{found}, {outcome['right']} of {outcome['faces']}"
    return row


if __name__ == "__main__":
    main()
