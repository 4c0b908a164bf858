"""The seed's two loops, the plain two-stage design, and Maskwatch, side by side on one clip.

    python -m benchmarks.compare            # needs the extra train

All of them see the same frames of the demonstration clip in each round, one system after the
other; what counts are the ratios of each round. Maskwatch is the service of `maskwatch run`, its
reader and tracker included; the others only find and judge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from maskwatch_edge.bench.replay import Reel, Replay
from maskwatch_edge.bench.rig import Rig, rigged
from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.classifier import MaskClassifier
from maskwatch_edge.config import Config, FacesConfig, OutputConfig
from maskwatch_edge.errors import MaskwatchError
from maskwatch_edge.finders import open_finder
from maskwatch_edge.frame import Frame
from maskwatch_edge.models import YUNET, shipped_model
from maskwatch_edge.quiet import quiet

from .measuring import Cost, cost_of, interleaved, parser_of, print_table, summary, write_figures
from .scenes import HEADS_XYXY, clip
from .seed import SeedLoop, build_network, keras_judge, tflite_judge, to_tflite

SHARED_YUNET = Path(__file__).parents[2] / "shared" / "weights" / YUNET.file_name
MASKWATCH = "Maskwatch"

Look: TypeAlias = Callable[[Frame], Sequence[FaceBox]]
"""Finds and judges the faces of a frame; returns where they are."""


def main() -> None:
    """Measure, print and write."""
    parser = parser_of(__doc__, "compare.json")
    parser.add_argument("--frames", type=int, default=150, help="frames of the clip in a round")
    options = parser.parse_args()
    reel = clip(options.frames)
    with systems(reel) as looks:
        found = {name: people_found(look, reel) for name, look in looks.items()}
        cases = {name: case(look, reel) for name, look in looks.items()}
        costs = interleaved(cases, options.rounds)
    figures = summary(costs, MASKWATCH)
    people = {name: f"{count} of {2 * len(reel.frames)}" for name, count in found.items()}
    table = {name: {**row, "people found": people[name]} for name, row in figures.items()}
    print_table("a frame", table)
    write_figures(options.json, {"frames": len(reel.frames), "systems": table})


@contextmanager
def systems(reel: Reel) -> Iterator[dict[str, Look]]:
    """Open all that are compared, the reference last."""
    with quiet():
        network = build_network()
        keras = SeedLoop(keras_judge(network))
        tflite = SeedLoop(tflite_judge(to_tflite(network)))
    looks: dict[str, Look] = {
        "seed: Haar, Keras": lambda frame: keras.look(frame.pixels),
        "seed: Haar, float TFLite": lambda frame: tflite.look(frame.pixels),
    }
    small = FacesConfig(finder="tflite-small")
    for faces in (FacesConfig(), small, FacesConfig(finder="yunet", model=yunet_file())):
        try:
            looks[f"two stages: {faces.finder}, int8"] = two_stages(faces)
        except MaskwatchError as error:
            print(f"left out: {faces.finder}: {error}")
    config = Config(output=OutputConfig(lines="none"))
    with (
        rigged(replace(config, faces=small), lambda camera: Replay(reel)) as small_rig,
        rigged(config, lambda camera: Replay(reel)) as rig,
    ):
        looks[f"{MASKWATCH}, {small.finder}"] = lambda frame: next_faces(small_rig)
        yield {**looks, MASKWATCH: lambda frame: next_faces(rig)}


def yunet_file() -> Path | None:
    """Return the copy of YuNet beside the repository, or None for where it is fetched to."""
    return SHARED_YUNET if SHARED_YUNET.is_file() else None


def two_stages(faces: FacesConfig) -> Look:
    """Find in every frame, and judge every face."""
    config = Config(faces=faces)
    finder, classifier = open_finder(faces, config.model), MaskClassifier(shipped_model())

    def look(frame: Frame) -> Sequence[FaceBox]:
        boxes = finder.find(frame.pixels)
        classifier.classify(frame.pixels, boxes)
        return boxes

    return look


def next_faces(rig: Rig) -> list[FaceBox]:
    """Turn the service until it has seen the next frame, which its own reader brings."""
    while (view := rig.service.turn()).frame is None:
        pass
    return [sighting.box for sighting in view.sightings]


def people_found(look: Look, reel: Reel) -> int:
    """Count in how many frames each of the two people was found; this is a warm-up, too."""
    return sum(
        any(_is_in(box, head) for box in boxes)
        for boxes in map(look, reel.frames)
        for head in HEADS_XYXY
    )


def _is_in(box: FaceBox, xyxy: tuple[int, int, int, int]) -> bool:
    x, y = (box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2
    return xyxy[0] <= x <= xyxy[2] and xyxy[1] <= y <= xyxy[3]


def case(look: Look, reel: Reel) -> Callable[[], Cost]:
    """Return what lets a system see the whole reel once."""
    frames = reel.frames
    return lambda: cost_of(lambda: [look(frame) for frame in frames], len(frames))


if __name__ == "__main__":
    main()
