"""How the cost of a frame grows: with faces, the camera's resolution, threads, finder and model.

    python -m benchmarks.growth

All cases are measured in each round, one after the other; what counts are the ratios of each round
to the first case of a group. Frames are in memory: what a camera and unpacking take is not in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

from maskwatch_edge.bench.replay import Reel, Replay
from maskwatch_edge.bench.rig import rigged
from maskwatch_edge.bench.turns import next_turn
from maskwatch_edge.config import Config, FacesConfig, ModelConfig, OutputConfig
from maskwatch_edge.interpreter import usable_threads
from maskwatch_edge.models import SHIPPED_MODELS

from .compare import yunet_file
from .measuring import Cost, cost_of, interleaved, parser_of, print_table, summary, write_figures
from .scenes import clip, crowd, empty_room, scaled

FACES = (0, 1, 2, 4, 8, 16, 32)
RESOLUTIONS_WH = ((640, 480), (1280, 720), (1920, 1080), (3840, 2160))
THREADS = (1, 2, 3, 4)
FRAMES = 12
PACED_FRAMES = 96
"""So many show how few are searched for people who stay."""

SLOW_RATE = 1.0
"""So few frames a second that faces are looked for and judged in each."""

DEFAULT = Config(output=OutputConfig(lines="none"))
LOOKING = replace(DEFAULT, faces=FacesConfig(still_seconds=0.0))


def main() -> None:
    """Measure each group, print and write."""
    parser = parser_of(__doc__, "growth.json")
    options = parser.parse_args()
    figures = {}
    for title, group in groups(clip(FRAMES)).items():
        with ExitStack() as stack:
            cases = {name: case(stack, *about) for name, about in group.items()}
            costs = interleaved(cases, options.rounds, warm_ups=1)
        figures[title] = summary(costs, next(iter(group)))
        print_table(title, figures[title])
    write_figures(options.json, figures)


def groups(reel: Reel) -> dict[str, dict[str, tuple[Config, Reel]]]:
    """Return what is measured: a configuration and frames for each case, the reference first."""
    slow = at_rate(reel, SLOW_RATE)
    return {
        "each face judged": {
            f"{faces} faces": (LOOKING, at_rate(crowd(reel, faces), SLOW_RATE)) for faces in FACES
        },
        "at the default pace": {
            "two people who sway": (DEFAULT, clip(PACED_FRAMES)),
            "nobody": (DEFAULT, empty_room(FRAMES)),
        },
        "camera": {
            f"{width}x{height}": (LOOKING, scaled(reel, (width, height)))
            for width, height in RESOLUTIONS_WH
        },
        "threads": {
            f"{threads} threads": (replace(LOOKING, model=ModelConfig(threads=threads)), slow)
            for threads in THREADS
            if threads <= usable_threads(max(THREADS))
        },
        "finder": {
            faces.finder: (replace(LOOKING, faces=replace(faces, still_seconds=0.0)), slow)
            for faces in finders()
        },
        "mask model": {
            name: (replace(LOOKING, model=ModelConfig(shipped=name)), slow)
            for name in SHIPPED_MODELS
        },
    }


def finders() -> Iterator[FacesConfig]:
    """Return how each finder that is here is configured."""
    yield FacesConfig()
    yield FacesConfig(finder="tflite-small")
    if (path := yunet_file()) is not None:
        yield FacesConfig(finder="yunet", model=path)
    yield FacesConfig(finder="haar")


def at_rate(reel: Reel, rate: float) -> Reel:
    """Return the same frames, so many a second."""
    return Reel([replace(frame, frames_per_second=rate) for frame in reel.frames])


def case(stack: ExitStack, config: Config, reel: Reel) -> Callable[[], Cost]:
    """Open a service, and return what lets it see the frames once."""
    rig = stack.enter_context(rigged(config, lambda camera: Replay(reel)))

    def watch() -> None:
        for _ in reel.frames:
            next_turn(rig, is_live=False, patience_seconds=60.0)

    return lambda: cost_of(watch, len(reel.frames))


if __name__ == "__main__":
    main()
