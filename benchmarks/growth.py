"""How the cost of a frame grows: with faces, pixels, threads, finders and models; and with nobody.

    python -m benchmarks.growth                        # all of it
    python -m benchmarks.growth faces scenes           # some of it
    python -m benchmarks.growth models --model a.tflite --model b.tflite

Each case is the service of `maskwatch run` on frames in memory, which are neither taken nor
decoded. The cases of a series take turns, and each is compared with the first one of its series.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from maskwatch_edge.bench.figures import pace_of
from maskwatch_edge.bench.replay import Reel, Replay
from maskwatch_edge.bench.rig import rigged
from maskwatch_edge.bench.turns import TURN, measure
from maskwatch_edge.config import Config, FacesConfig, ModelConfig, OutputConfig
from maskwatch_edge.config.settings import FINDERS
from maskwatch_edge.contract import read_model
from maskwatch_edge.errors import InputError
from maskwatch_edge.finders import open_finder
from maskwatch_edge.interpreter import load_interpreter
from maskwatch_edge.models import shipped_model

from .compare import yunet_file
from .measuring import (
    Cost,
    Spread,
    cost_of,
    interleaved,
    parser_of,
    print_table,
    summary,
    write_figures,
)
from .scenes import clip, crowd, empty_room, scaled, still

CROWDS = (1, 0, 2, 4, 8, 16, 32)
CROWD_WH = (1280, 720)
SIZES_WH = ((640, 480), (1280, 720), (1920, 1080), (2560, 1440), (3840, 2160))
THREADS = (1, 2, 3, 4)
REEL_FRAMES = 4
"""Frames of a reel; of 4K pictures they take 100 MB."""

CLIP_FRAMES = 75
FINDER, INFERENCE = "the finder alone", "an inference alone"
PLAIN = Config(output=OutputConfig(lines="none"))

Cases: TypeAlias = dict[str, Callable[[], Cost]]


@dataclass(frozen=True)
class Task:
    """What a case is given to do.

    Attributes:
        frames: How many frames are measured, each time.
        models: Files of classifiers to compare.
    """

    frames: int
    models: Sequence[Path] = ()

    def service(self, config: Config, reel: Reel) -> Callable[[], Cost]:
        """Return a case: the service on frames in memory, from its start on."""

        def measured() -> Cost:
            with rigged(config, lambda camera: Replay(reel)) as rig:
                pace = pace_of(measure(rig, self.frames, is_live=False))
            return Cost(pace.stages[TURN].mean_ms, 1000 * pace.cpu_seconds_per_frame)

        return measured

    def repeated(self, act: Callable[[], object]) -> Callable[[], Cost]:
        """Return a case: an act, as often as there are frames."""
        return lambda: cost_of(lambda: [act() for _ in range(self.frames)], self.frames)


def faces(task: Task) -> Cases:
    """Give more and more faces, and the parts that cannot be done without."""
    reel = clip(REEL_FRAMES)
    crowds = {count: crowd(reel, count, CROWD_WH) for count in CROWDS}
    finder = open_finder(PLAIN.faces, PLAIN.model)
    network = load_interpreter(read_model(shipped_model())[0])
    return {
        **{crowd_of(count): task.service(PLAIN, crowds[count]) for count in CROWDS},
        FINDER: task.repeated(lambda: finder.find(crowds[1].frames[0].pixels)),
        INFERENCE: task.repeated(network.invoke),
    }


def crowd_of(count: int) -> str:
    """Name the case of a crowd."""
    return f"crowd of {count}"


def sizes(task: Task) -> Cases:
    """Give larger and larger frames of the same scene."""
    reel = clip(REEL_FRAMES)
    return {f"{w}x{h}": task.service(PLAIN, scaled(reel, (w, h))) for w, h in SIZES_WH}


def scenes(task: Task) -> Cases:
    """Compare people who move with people who do not, and with an empty room."""
    reel = clip(CLIP_FRAMES)
    return {
        "two people, moving": task.service(PLAIN, reel),
        "two people, still": task.service(PLAIN, still(reel, CLIP_FRAMES)),
        "nobody": task.service(PLAIN, empty_room(CLIP_FRAMES)),
    }


def threads(task: Task) -> Cases:
    """Give the interpreter more and more threads, as far as there are cores."""
    reel, cores = clip(REEL_FRAMES), len(os.sched_getaffinity(0))
    return {
        f"{count} threads": task.service(replace(PLAIN, model=ModelConfig(threads=count)), reel)
        for count in THREADS
        if count <= cores
    }


def finders(task: Task) -> Cases:
    """Compare the finders that can be opened here."""
    reel, cases = clip(REEL_FRAMES), {}
    for name in FINDERS:
        model = yunet_file() if name == "yunet" else None
        config = replace(PLAIN, faces=FacesConfig(finder=name, model=model))
        try:
            open_finder(config.faces, config.model)
        except InputError as error:
            print(f"left out: {name}: {error}")
        else:
            cases[name] = task.service(config, reel)
    return cases


def models(task: Task) -> Cases:
    """Compare classifiers: the shipped one, and those that were named."""
    reel = clip(REEL_FRAMES)
    return {
        path.stem: task.service(replace(PLAIN, model=ModelConfig(path=path)), reel)
        for path in (shipped_model(), *task.models)
    }


SERIES = {each.__name__: each for each in (faces, sizes, scenes, threads, finders, models)}


def main() -> None:
    """Measure, print and write."""
    parser = parser_of(__doc__, "growth.json")
    parser.add_argument("series", nargs="*", choices=[*SERIES, []], help="which; all if none")
    parser.add_argument("--frames", type=int, default=60, help="frames of a case in a round")
    parser.add_argument("--model", type=Path, action="append", default=[], help="one to compare")
    options = parser.parse_args()
    task = Task(options.frames, options.model)
    figures = {}
    for name in options.series or SERIES:
        costs = interleaved(SERIES[name](task), options.rounds)
        figures[name] = summary(costs, next(iter(costs)))
        print_table(name, figures[name])
        if beyond := beyond_the_parts(costs):
            figures[f"{name}, beyond the parts"] = beyond
            print_table("beyond the parts", beyond)
    write_figures(options.json, figures)


def beyond_the_parts(costs: Mapping[str, Sequence[Cost]]) -> dict[str, dict[str, Spread]]:
    """Return what a crowd and a turn cost beyond finder and interpreter, round by round."""
    if INFERENCE not in costs:
        return {}
    names = (crowd_of(CROWDS[0]), crowd_of(CROWDS[-1]), FINDER, INFERENCE)
    rounds = list(zip(*(costs[name] for name in names), strict=True))
    return {
        "one more face, of an inference": _both(rounds, _one_more_face),
        "neither of them, of a turn with one face": _both(rounds, _neither),
    }


def _one_more_face(few: float, many: float, finder: float, inference: float) -> float:
    return (many - few) / (CROWDS[-1] - CROWDS[0]) / inference


def _neither(few: float, many: float, finder: float, inference: float) -> float:
    return (few - finder - inference) / few


def _both(
    rounds: Sequence[Sequence[Cost]], figure: Callable[[float, float, float, float], float]
) -> dict[str, Spread]:
    return {
        "wall": Spread.of(figure(*(cost.wall_ms for cost in each)) for each in rounds),
        "cpu": Spread.of(figure(*(cost.cpu_ms for cost in each)) for each in rounds),
    }


if __name__ == "__main__":
    main()
