"""Each part of the pipeline by itself, and the whole of it, on one thread."""

from __future__ import annotations

from dataclasses import replace
from itertools import count as numbers

import cv2
import numpy as np

from benchmarks.scenes import clip, crowd, empty_room
from maskwatch_edge.bench.replay import Reel, Replay
from maskwatch_edge.bench.rig import rigged
from maskwatch_edge.bench.turns import next_turn
from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.classifier import MaskClassifier, face_crop
from maskwatch_edge.config import Config, DecisionConfig, FacesConfig, ModelConfig, OutputConfig
from maskwatch_edge.contract import read_finder, read_model
from maskwatch_edge.finders import open_finder
from maskwatch_edge.finders.letterbox import fill_letterbox
from maskwatch_edge.frame import Pixels
from maskwatch_edge.interpreter import load_interpreter
from maskwatch_edge.models import shipped_finder, shipped_model
from maskwatch_edge.tracks import Tracker
from maskwatch_edge.verdict import Sighting, Verdict, decide

from .counting import count

FRAMES = 4
"""So many turns are counted: more take minutes, and say the same."""

PACED_FRAMES = 48
"""So many are counted where only a few, a fifth of them, are searched."""

CONFIG = Config(model=ModelConfig(threads=1), output=OutputConfig(lines="none"))
LOOKING = replace(CONFIG, faces=FacesConfig(still_seconds=0.0))
"""Faces are looked for whether anything moves or not."""

CAMERA_RATE = 12.5
SLOW_RATE = 1.0
"""So few frames a second that each is looked at, and each face is judged anew in each."""

CROWDS = (1, 16)
PATIENCE_SECONDS = 600.0


def main() -> None:
    """Count all of it."""
    cv2.setNumThreads(1)
    reel = clip(FRAMES)
    box = count_finder(reel.frames[0].pixels)
    count_classifier(reel.frames[0].pixels, box)
    for people in (2, 32):
        count_tracker(people)
    count_turns("turn: two people", clip(3 * PACED_FRAMES + 2), times=PACED_FRAMES)
    count_turns("turn: nobody", empty_room(FRAMES))
    count_looks("look: two people", reel)
    count_looks("look: nobody", empty_room(FRAMES))
    for people in CROWDS:
        count_looks(f"look: crowd of {people}", crowd(reel, people), times=1)


def count_finder(pixels: Pixels) -> FaceBox:
    """Count what finding faces takes, and return the surest one."""
    finder = open_finder(CONFIG.faces, CONFIG.model)
    flatbuffer, contract = read_finder(shipped_finder())
    network = load_interpreter(flatbuffer, threads=1)
    shown = np.zeros((contract.input_height, contract.input_width, 3), dtype=np.uint8)
    count("find: letterbox", lambda: fill_letterbox(pixels, shown), 4)
    count("find: network", network.invoke)
    count("find: all of it", lambda: finder.find(pixels))
    return finder.find(pixels)[0]


def count_classifier(pixels: Pixels, box: FaceBox) -> None:
    """Count what judging one face takes."""
    classifier = MaskClassifier(shipped_model(), threads=1)
    flatbuffer, contract = read_model(shipped_model())
    network = load_interpreter(flatbuffer, threads=1)
    margin, size = contract.face_margin, contract.input_size
    count("judge: crop", lambda: face_crop(pixels, box, margin, size), 4)
    count("judge: network", network.invoke, 2)
    count("judge: all of a face", lambda: classifier.classify(pixels, [box]), 2)


def count_tracker(people: int) -> None:
    """Count an update of the tracker with so many people who stand still."""
    verdict = Verdict("with_mask", 0.99)
    sightings = [
        Sighting(FaceBox(60 * n, 0, 60 * n + 50, 50, 0.9), verdict, decide(verdict, 0.8))
        for n in range(people)
    ]
    tracker, frames = Tracker(DecisionConfig()), numbers()
    count(f"track: {people} people", lambda: tracker.update(sightings, 0.08 * next(frames)), 24)


def count_looks(name: str, reel: Reel, times: int = FRAMES) -> None:
    """Count turns in which faces are looked for and all of them judged."""
    count_turns(name, reel, LOOKING, SLOW_RATE, times)


def count_turns(
    name: str,
    reel: Reel,
    config: Config = CONFIG,
    rate: float = CAMERA_RATE,
    times: int = 2 * FRAMES,
) -> None:
    """Count turns of the service, from the frame to the last output."""
    looped = Reel([replace(frame, frames_per_second=rate) for frame in reel.frames])
    with rigged(config, lambda camera: Replay(looped)) as rig:
        turn = lambda: next_turn(rig, is_live=False, patience_seconds=PATIENCE_SECONDS)  # noqa: E731
        count(name, turn, times)


if __name__ == "__main__":
    main()
