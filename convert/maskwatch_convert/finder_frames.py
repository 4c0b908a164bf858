"""Which frames calibrate a face finder, and which ones score it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np

from maskwatch_edge.dataset import LabelledFrame, read_pictures
from maskwatch_edge.errors import InputError, SourceError
from maskwatch_edge.finders.letterbox import fill_letterbox
from maskwatch_edge.frame import Pixels
from maskwatch_edge.pictures import read_picture

from .calibration import Warn, digested
from .training_run import TrainingRun


@dataclass(frozen=True)
class RunFrames:
    """The annotated frames of a run that were found again in data sets, by content digest.

    Attributes:
        fitted: Those that the network was trained on.
        held_out: Those that it never saw.
    """

    fitted: dict[str, LabelledFrame] = field(default_factory=dict)
    held_out: dict[str, LabelledFrame] = field(default_factory=dict)


def find_frames(folders: Sequence[Path], run: TrainingRun, warn: Warn) -> RunFrames:
    """Find the annotated frames of a run in data sets; a frame that is there twice counts once.

    Args:
        folders: Data sets in any layout of `maskwatch_edge.dataset`; only frames are used.
        run: The training whose frames are looked for.
        warn: Told of each picture that cannot be read.

    Raises:
        InputError: If a data set is unusable, or holds no frame of one of the two.
    """
    fitted, held_out = (
        {identity.split(":")[0] for identity in names} for names in (run.fitted, run.held_out)
    )
    found = RunFrames()
    for digest, frame in _digested(folders, warn):
        if digest in fitted:
            found.fitted.setdefault(digest, frame)
        elif digest in held_out:
            found.held_out.setdefault(digest, frame)
    for role, frames in (("was fitted to", found.fitted), ("has held out", found.held_out)):
        if not frames:
            raise InputError(
                f"{', '.join(map(str, folders))}: holds none of the annotated frames that the run "
                f"{role}; give the data sets that the run was trained with"
            )
    return found


def _digested(folders: Sequence[Path], warn: Warn) -> Iterator[tuple[str, LabelledFrame]]:
    for folder in folders:
        frames = {picture.path: picture for picture in read_pictures(folder)}
        faces = (face for frame in frames.values() for face in frame.faces if face.box is not None)
        for digest, (face, *_) in digested(faces, warn):
            yield digest, frames[face.path]


def choose_frames(
    frames: Mapping[str, LabelledFrame],
    size_wh: tuple[int, int],
    count: int,
    seed: int,
    warn: Warn,
) -> list[Pixels]:
    """Draw frames for calibration, letterboxed as the board does.

    The draw depends on what the pictures hold and on the seed, not on where they lie.

    Args:
        frames: Frames by content digest.
        size_wh: Width and height of the model's input in pixels.
        count: How many; fewer if there are not so many.
        seed: Decides which.
        warn: Told of each picture that cannot be read.

    Returns:
        Pictures of shape (height, width, 3), uint8, RGB.

    Raises:
        InputError: If none can be read.
    """
    drawn = np.random.default_rng(seed).permutation(sorted(frames))
    pictures = (pixels for _, pixels in read_frame_pixels([frames[name] for name in drawn], warn))
    chosen = [_letterboxed(pixels, size_wh) for pixels in islice(pictures, count)]
    if not chosen:
        raise InputError("no frame of the training can be read; copy the data set again")
    return chosen


def _letterboxed(pixels: Pixels, size_wh: tuple[int, int]) -> Pixels:
    target = np.empty((size_wh[1], size_wh[0], 3), np.uint8)
    fill_letterbox(pixels, target)
    return target


def read_frame_pixels(
    frames: Sequence[LabelledFrame], warn: Warn
) -> Iterator[tuple[LabelledFrame, Pixels]]:
    """Yield each frame that can be read, with its pixels of shape (height, width, 3)."""
    for frame in frames:
        try:
            yield frame, read_picture(frame.path)
        except SourceError as error:
            warn(f"skipped: {error}")
