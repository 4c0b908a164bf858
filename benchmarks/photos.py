"""Finders on photographs that no training has learned, with YuNet in the place of people.

    python -m benchmarks.photos ../shared/data/mask-frames ../shared/data/mask-photos \
        ../shared/data/face-mask-12k --yunet ../shared/weights/face_detection_yunet_2023mar.onnx \
        --finder models/maskwatch-finder-int8.tflite another.tflite

The data sets are divided as `maskwatch train-finder` divides them, and what it holds out of plain
folders is looked at: several times as many faces as held-out frames have, but only such as YuNet
knows. Those of which it is sure, on the photograph at a large size, are asked for, and those that
it doubts are difficult. Who trained with another `--seed`, `--fold` or share gives it here, too.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.config import FacesConfig, Thresholds
from maskwatch_edge.dataset import read_pictures
from maskwatch_edge.errors import InputError, MaskwatchError
from maskwatch_edge.finders import FaceFinder, TfliteFinder, YunetFinder
from maskwatch_edge.finders.scoring import FinderScorer
from maskwatch_edge.frame import Pixels
from maskwatch_edge.pictures import read_picture
from maskwatch_train.config import CommonConfig
from maskwatch_train.samples import views_of
from maskwatch_train.splits import TEST, Division, divide

from .measuring import print_table, write_figures

SURE, DOUBTFUL = 0.8, 0.3
"""Scores of YuNet from which a face is asked for, and from which it is not but may be there."""

WORK_SIZE = 640
"""Long side in pixels of what YuNet sees."""

RANKED = 0.05
"""Score from which faces are ranked for the AP50."""


def main() -> None:
    """Measure, print and write."""
    options = _options()
    try:
        photographs = held_out(options.data, Division.of(_config(options)))
        truth = YunetFinder(options.yunet, work_size=WORK_SIZE, min_score=DOUBTFUL)
        finders = {
            str(path): TfliteFinder(path, min_score=RANKED, min_size=FacesConfig().min_size_px)
            for path in options.finder
        }
        figures = measure(map(read_picture, photographs), truth, finders, options.min_face_score)
    except MaskwatchError as error:
        sys.exit(f"photos: {error}")
    print_table("finder", {name: headline(one) for name, one in figures.items()})
    write_figures(options.json, {"photographs": len(photographs), "finders": figures})


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("data", nargs="+", type=Path, help="all data sets of the training, in any layout")
    add("--yunet", type=Path, required=True, metavar="ONNX", help="its file")
    add("--finder", type=Path, nargs="+", required=True, metavar="FILE", help="finders of ours")
    add("--min-face-score", type=float, default=Thresholds().min_face_score, help="counts from it")
    add("--seed", type=int, default=CommonConfig.seed, help="of the training")
    add("--test-share", type=float, default=CommonConfig.test_share, help="of the training")
    add("--fold", type=int, default=CommonConfig.fold, help="of the training")
    add("--json", type=Path, default=Path("build/photos.json"), help="file of figures")
    return parser.parse_args()


def _config(options: argparse.Namespace) -> CommonConfig:
    return CommonConfig(seed=options.seed, test_share=options.test_share, fold=options.fold)


def held_out(folders: Sequence[Path], division: Division) -> list[Path]:
    """Return the photographs of plain folders that a training holds out.

    Raises:
        InputError: If a data set is unusable, or there are none.
    """
    pictures = [one for folder in folders for one in read_pictures(folder) if one.faces]
    views = [views_of(read_picture(one.path), one.faces) for one in pictures]
    splits, _ = divide([one.faces[0] for one in pictures], views, division)
    photographs = [
        one.path
        for one, split in zip(pictures, splits, strict=True)
        if split == TEST and one.faces[0].layout == "folders"
    ]
    if not photographs:
        raise InputError("no plain folder, with_mask/ and without_mask/, has a held-out picture")
    return photographs


def measure(
    photographs: Iterator[Pixels],
    truth: FaceFinder,
    finders: Mapping[str, FaceFinder],
    min_score: float,
) -> dict[str, dict[str, Any]]:
    """Let all finders look at each photograph.

    Args:
        photographs: Shape (height, width, 3), uint8, RGB.
        truth: Says where faces are.
        finders: By name.
        min_score: Score from which what they find counts, but for the AP50.

    Returns:
        Figures by name: those of `FinderScorer` for all that was found, under "ranked", and for
        what counts, under "counted".
    """
    ranked = {name: FinderScorer() for name in finders}
    counted = {name: FinderScorer() for name in finders}
    for pixels in photographs:
        faces = truth.find(pixels)
        sure = [face for face in faces if face.score >= SURE]
        doubtful = [face for face in faces if face.score < SURE]
        for name, finder in finders.items():
            found = finder.find(pixels)
            ranked[name].add(sure, found, doubtful)
            counted[name].add(sure, at_least(found, min_score), doubtful)
    return {
        name: {"ranked": ranked[name].result(), "counted": counted[name].result()}
        for name in finders
    }


def at_least(found: Sequence[FaceBox], score: float) -> list[FaceBox]:
    """Return the boxes of that score and more."""
    return [box for box in found if box.score >= score]


def headline(figures: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Lay out what one row of the table shows."""
    counted = figures["counted"]
    faces, frames = counted["faces"], counted["frames"]
    return {
        "AP50": f"{figures['ranked']['ap50']:.3f}",
        "found": f"{round(counted['recall'] * faces)} of {faces}",
        "on no face that YuNet sees": f"{round(counted['false_alarms_per_frame'] * frames)}",
    }


if __name__ == "__main__":
    main()
