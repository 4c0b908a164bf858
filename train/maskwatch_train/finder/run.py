"""One run of `maskwatch train-finder`, from data sets to a folder with network and report."""

from __future__ import annotations

import argparse
import shlex
import sys
from dataclasses import fields
from pathlib import Path

from maskwatch_edge.errors import InputError
from maskwatch_train.devices import TF_CONFIG, this_worker
from maskwatch_train.run_folder import check_folder, learned_by
from maskwatch_train.splits import TEST, VALIDATION, Division

from .config import FinderConfig
from .data import FinderData, load_pictures
from .report import write_finder_report
from .training import make_start, tell, train_finder
from .truths import Teacher


def train(options: argparse.Namespace) -> None:
    """Load the data, train the network, and write everything that a run holds.

    Raises:
        InputError: If the data or an option is unusable, or the folder holds another run.
        OutputError: If a file cannot be written.
    """
    run: Path = options.out
    check_folder(run, options.resume)
    given = vars(options)
    if this_worker().count > 1:
        raise InputError(f"a finder is trained on one machine; unset {TF_CONFIG}")
    config = FinderConfig(**{f.name: given[f.name] for f in fields(FinderConfig)})
    learned = learned_by(config.earlier_network) if config.earlier_network else set()
    start = make_start(config)  # before minutes are spent on the data: it may not fit
    teacher = Teacher.open(options.landmarks, options.finder) if options.landmarks else None
    data = load_pictures(options.data, Division.of(config), teacher, tell)
    for split, counts in data.report["counts"].items():
        tell(f"{split}: {counts}")
    check_not_learned(learned, data)
    data.report["identities"]["learned_before"] = sorted(learned)
    network, state = train_finder(start, data, config, run)
    command = shlex.join(["maskwatch", *sys.argv[1:]])
    test = write_finder_report(run, network, state, data, command)["test"]
    tell(f"{run}: AP50 {test['ap50']:.3f} on {test['faces']:,} faces of {test['frames']} frames")


def check_not_learned(learned: set[str], data: FinderData) -> None:
    """Check that the run that this one goes on from has seen nothing that is scored here.

    Args:
        learned: Identities of the faces that it was fitted on.
        data: Pictures by split.

    Raises:
        InputError: If it has.
    """
    names = data.report["identities"]
    if scored := learned.intersection([*names[TEST], *names[VALIDATION]]):
        raise InputError(
            f"the earlier run was fitted on {len(scored)} of the faces that are held out here; "
            "give its --seed, --test-share, --validation-share and --fold"
        )
