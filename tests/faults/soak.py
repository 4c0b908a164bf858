"""A million frames with a fault every thousand: what is held stays flat, and nothing is left.

    python -m tests.faults.soak --frames 1000000 --fault-every 1000

The service has the outputs of the default configuration, lamps on a paper board, the tiny
models of the tests and pictures of 64x48; the faults are those of `kinds`. Memory, threads and open
files must not grow, no file may be written and no socket may listen.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random

from benchmarks.soak import SAMPLES, Sample, grown, sample
from maskwatch_edge.classifier import open_classifier
from maskwatch_edge.config import Config, FacesConfig, ModelConfig, OutputConfig
from maskwatch_edge.fault_log import FaultLog
from maskwatch_edge.finders import open_finder
from maskwatch_edge.run_command import open_outputs
from maskwatch_edge.verdict import Decision
from maskwatch_edge.view import Output

from ..edge.watching import listening_on
from .kinds import KINDS
from .world import World

DATA = Path(__file__).parents[1] / "data"
CONFIG = Config(
    faces=FacesConfig(model=DATA / "tiny-finder-int8.tflite"),
    model=ModelConfig(path=DATA / "tiny-int8.tflite"),
    output=OutputConfig(lines="none"),
)
PERIOD_SECONDS = 0.08
FAULT_FRAMES = 100
"""So long a fault lasts at most, in frames of a camera that works."""


def main() -> int:
    """Watch, print what was held, and return 1 if it grew or something was left."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=1_000_000, help="how many are watched")
    parser.add_argument("--fault-every", type=int, default=1000, help="frames between two faults")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"HOME": home, "XDG_STATE_HOME": f"{home}/state", "TMPDIR": home}
        os.chdir(home)
        wrong = watch(options.frames, options.fault_every, Path(home))
    for line in wrong:
        print(f"error: {line}", file=sys.stderr)
    return 1 if wrong else 0


def watch(frames: int, fault_every: int, home: Path) -> list[str]:
    """Let the service see so many frames; print what it held, return what is wrong with that."""
    samples = list[Sample]()
    with rigged() as world:
        soak = Soak(world, fault_every)
        for number in range(1, SAMPLES + 1):
            soak.see(number * frames // SAMPLES)
            samples.append(sample(soak.frames))
            print(samples[-1], flush=True)
        print(f"{soak.frames:,} frames, {soak.faults:,} faults, {world.restarts} restarts")
        return [*grown(samples), *left(home)]


def rigged() -> World:
    """Return a world whose service has the real finder, judge, and outputs."""

    def open_more() -> Sequence[Output]:
        return open_outputs(CONFIG, lambda: None, lambda: None, FaultLog())

    finder = open_finder(CONFIG.faces, CONFIG.model)
    judge = open_classifier(CONFIG.model)
    return World(None, finder, judge, open_more, PERIOD_SECONDS)


def left(home: Path) -> list[str]:
    """Say what is on the disk, and what listens, a line each."""
    files = [f"a file was written: {path}" for path in home.rglob("*") if path.is_file()]
    return files + [f"a socket listens on {address}" for address in listening_on(os.getpid())]


class Soak:
    """Lets a service see frames, with faults in between.

    Args:
        world: The service, and what can break.
        fault_every: Frames between two faults.

    Attributes:
        frames: Seen until now.
        faults: Struck until now.
    """

    def __init__(self, world: World, fault_every: int) -> None:
        self._world, self._fault_every = world, fault_every
        self._random = Random(0)
        self.frames = self.faults = 0

    def see(self, frames: int) -> None:
        """Go on until so many frames were seen since the start."""
        while self.frames < frames:
            self._turn()
            if self.frames // self._fault_every > self.faults:
                self._strike()

    def _turn(self) -> None:
        self._world.turn(PERIOD_SECONDS)
        self.frames += self._world.view.frame is not None

    def _strike(self) -> None:
        kind = KINDS[self.faults % len(KINDS)]
        self._world.show_somebody(self._random.choice([Decision.NO_MASK, None]))
        breaking = kind.breaking(self._world, self._random)
        next(breaking)
        for _ in range(self._random.randrange(1, FAULT_FRAMES)):
            self._turn()
        next(breaking, None)
        self.faults += 1


if __name__ == "__main__":
    sys.exit(main())
