r"""Very many frames, with people who come and go: memory and open files must not grow.

    python -m benchmarks.soak                 # 200,000 frames
    python -m benchmarks.soak --frames 20000 --model tests/data/tiny-int8.tflite \
        --finder-model tests/data/tiny-finder-int8.tflite

The service of `maskwatch run` sees the demonstration clip, a crowd and an empty room, again and
again. The exit code is 1 if it holds more in the second half than in the first one.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import active_count

from maskwatch_edge.bench.progress import Progress
from maskwatch_edge.bench.replay import Reel, Replay
from maskwatch_edge.bench.rig import Rig, rigged
from maskwatch_edge.bench.turns import next_turn
from maskwatch_edge.config import Config, FacesConfig, ModelConfig, OutputConfig

from .measuring import write_figures
from .scenes import clip, crowd, empty_room

SAMPLES = 200
GROWTH_MB = 2.0
"""So much more in the second half is taken for chance: the allocator does not give back at once."""

PATIENCE_SECONDS = 120.0


@dataclass(frozen=True)
class Sample:
    """What the process holds at one moment.

    Attributes:
        frames: Seen until then.
        rss_mb: Memory, in MB of 1,000,000 bytes.
        files: Open file descriptors.
        threads: Of Python.
    """

    frames: int
    rss_mb: float
    files: int
    threads: int

    @classmethod
    def take(cls, frames: int) -> Sample:
        """Look at this process."""
        status = Path("/proc/self/status").read_text().splitlines()
        rss_kib = next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))
        files = len(list(Path("/proc/self/fd").iterdir()))
        return cls(frames, rss_kib * 1024 / 1e6, files, active_count())


def main() -> int:
    """Soak, print and write."""
    options = _parser().parse_args()
    config = Config(
        faces=FacesConfig(model=options.finder_model),
        model=ModelConfig(path=options.model),
        output=OutputConfig(lines="none"),
    )
    with rigged(config, lambda camera: Replay(coming_and_going())) as rig:
        samples = list(soak(rig, options.frames))
    wrong = growths(samples)
    print(f"{'frames':>10}{'RSS, MB':>10}{'files':>8}{'threads':>9}")
    for sample in samples[:: max(len(samples) // 10, 1)]:
        print(f"{sample.frames:10}{sample.rss_mb:10.1f}{sample.files:8}{sample.threads:9}")
    for line in wrong:
        print(f"error: {line}", file=sys.stderr)
    write_figures(options.json, {"samples": list(map(asdict, samples)), "wrong": wrong})
    return 1 if wrong else 0


def _parser() -> ArgumentParser:
    parser = ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--frames", type=int, default=200_000, help="how many are seen")
    parser.add_argument("--model", type=Path, help="another classifier, such as a quicker one")
    parser.add_argument("--finder-model", type=Path, help="another finder")
    parser.add_argument("--json", type=Path, default=Path("build/soak.json"), help="figures")
    return parser


def coming_and_going() -> Reel:
    """Return half a minute in which two people, nobody, a crowd and nobody are seen."""
    people, nobody = clip(150), empty_room(25)
    many = crowd(Reel(people.frames[:25]), 16)
    parts = (*people.frames, *nobody.frames, *many.frames, *nobody.frames)
    return Reel([replace(frame, frames_per_second=people.frames_per_second) for frame in parts])


def soak(rig: Rig, frames: int) -> Iterator[Sample]:
    """Turn so often, and look now and then what is held."""
    progress = Progress(frames)
    every = max(frames // SAMPLES, 1)
    for done in range(1, frames + 1):
        next_turn(rig, is_live=False, patience_seconds=PATIENCE_SECONDS)
        if done % every == 0:
            progress.show(done)
            yield Sample.take(done)
    progress.clear()


def growths(samples: Sequence[Sample], most_mb: float = GROWTH_MB) -> list[str]:
    """Say what is held more of in the second half; the first tenth, a warm-up, does not count."""
    settled = samples[len(samples) // 10 :]
    first, second = settled[: len(settled) // 2], settled[len(settled) // 2 :]
    wrong = []
    for name, most in (("rss_mb", most_mb), ("files", 0.0), ("threads", 0.0)):
        before = max(getattr(sample, name) for sample in first)
        after = max(getattr(sample, name) for sample in second)
        if after > before + most:
            wrong.append(f"{name} grew from {before:g} to {after:g}")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
