"""One run of `maskwatch train`, from data sets to a folder with network and report."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np

from maskwatch_edge.errors import InputError

from .compose import compose_samples
from .config import TrainingConfig
from .devices import strategy, this_worker
from .distillation import Teacher
from .found_faces import BoxFinder
from .landmarks import LandmarkFinder
from .relabelled import Relabelled
from .report import write_report
from .run_folder import check_folder, epochs_before, learned_by
from .samples import DataSet, Sample, load_data_set, with_repeats
from .splits import TRAIN, VALIDATION, Division
from .start import make_start, mix_in
from .temperature import calibrate
from .training import train_network


def train(options: argparse.Namespace, folders: Sequence[Path]) -> None:
    """Load the data, train the network, and write everything that a run holds.

    Raises:
        InputError: If the data or an option is unusable, or the folder holds another run.
        ModelError: If the finder's file is broken.
        OutputError: If a file cannot be written.
    """
    run: Path = options.out
    check_folder(run, options.resume)
    strategy()  # TensorFlow must know who trains together before anything is computed
    teacher = Teacher.open(options.teacher, options.size) if options.teacher else None
    config = _config_from(options, teacher)
    check_shares(config)
    start = make_start(config)  # before minutes are spent on the data: it may not fit
    landmarks = LandmarkFinder(options.landmarks) if options.landmarks else None
    finder = BoxFinder.open(options.finder) if options.finder else None
    relabelled = Relabelled.open(options.relabel) if options.relabel else None
    division = Division.of(config, copies_apart=options.copies == "apart")
    data = load_data_set(
        folders,
        division,
        input_size=config.size,
        landmarks=landmarks,
        finder=finder,
        relabelled=relabelled,
        learned_before=_learned_before(config, teacher),
    )
    splits = data.splits | {TRAIN: learned_samples(data, config, landmarks)}
    begun_with = start.network.get_weights()
    network, state = train_network(start.network, splits, config, data.fingerprint, run, teacher)
    if not this_worker().is_first:
        return
    mix_in(network, begun_with, config.start_share)
    temperature = calibrate(network, splits[VALIDATION], config.size, config.seed)
    command = shlex.join(["maskwatch", *sys.argv[1:]])
    figures = write_report(
        run, network, state, data, temperature, command, is_narrowed=start.is_narrowed
    )
    right, faces = figures["test"]["accuracy"], figures["test"]["faces"]
    print(f"{run}: {right:.2%} of {faces:,} test faces right", file=sys.stderr)  # noqa: T201


def check_shares(config: TrainingConfig) -> None:
    """Check that a batch can be shared out among the machines of the training.

    Raises:
        InputError: If it cannot.
    """
    workers = this_worker().count
    if config.batch_size % workers:
        raise InputError(
            f"--batch-size must be a multiple of the {workers} workers in TF_CONFIG; "
            f"received {config.batch_size}"
        )


def learned_samples(
    data: DataSet, config: TrainingConfig, landmarks: LandmarkFinder | None
) -> list[Sample]:
    """Return all that an epoch shows: faces as people boxed them, composed ones, found ones.

    Args:
        data: Its training split, and the faces that a finder boxed in it.
        config: How often each is shown, and how many faces are composed.
        landmarks: Finds the eyes and mouths that composing needs; without it nothing is composed.
    """
    repeats = (config.frame_repeats, config.worn_wrong_repeats)
    samples = with_repeats(data.splits[TRAIN], *repeats)
    if config.composed and landmarks is not None:
        samples += compose_samples(
            samples,
            landmarks,
            count=config.composed,
            input_size=config.size,
            rng=np.random.default_rng(config.seed + epochs_before(config)),
        )
    return samples + with_repeats(data.found, *repeats)


def _learned_before(config: TrainingConfig, teacher: Teacher | None) -> set[str]:
    """Return the identities of all faces that what the run begins with was fitted on."""
    networks = [config.earlier_network] if config.earlier_network else []
    networks += [teacher.path] if teacher else []
    return set().union(*map(learned_by, networks))


def _config_from(options: argparse.Namespace, teacher: Teacher | None) -> TrainingConfig:
    given = vars(options) | {"teacher": teacher.sha256 if teacher else ""}
    chosen = {f.name: given[f.name] for f in fields(TrainingConfig) if f.name in given}
    return TrainingConfig(**chosen)
