"""One run of `maskwatch train-finder`, from data sets to a folder with network and report."""

from __future__ import annotations

import argparse
import shlex
import sys
from dataclasses import fields
from pathlib import Path

from maskwatch_train.landmarks import LandmarkFinder
from maskwatch_train.run_folder import check_folder

from .config import FinderConfig
from .data import Division, load_pictures
from .report import write_finder_report
from .training import tell, train_finder
from .truths import DOUBTFUL_SCORE


def train(options: argparse.Namespace) -> None:
    """Load the data, train the network, and write everything that a run holds.

    Raises:
        InputError: If the data or an option is unusable, or the folder holds another run.
        OutputError: If a file cannot be written.
    """
    run: Path = options.out
    check_folder(run, options.resume)
    given = vars(options)
    config = FinderConfig(**{f.name: given[f.name] for f in fields(FinderConfig)})
    teacher = LandmarkFinder(options.landmarks, DOUBTFUL_SCORE) if options.landmarks else None
    division = Division(config.seed, config.test_share, config.validation_share, config.fold)
    data = load_pictures(options.data, division, teacher, tell)
    for split, counts in data.report["counts"].items():
        tell(f"{split}: {counts}")
    network, state = train_finder(data, config, run)
    command = shlex.join(["maskwatch", *sys.argv[1:]])
    test = write_finder_report(run, network, state, data, command)["test"]
    tell(f"{run}: AP50 {test['ap50']:.3f} on {test['faces']:,} faces of {test['frames']} frames")
