"""Counts the instructions of each stage on an emulated Cortex-A72, that of a Raspberry Pi 4.

    python -m benchmarks.instructions.count            # count, and compare with the baseline
    python -m benchmarks.instructions.count --save     # make this the baseline

A count does not depend on what else the machine does: two differ by 0.02 % at most. The exit code
is 1 if a stage executes more than the baseline allows, or a ratio is over its limit.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.scenes import clip
from maskwatch_edge.pictures import write_picture

from .baseline import BASELINE, Counts, growth, limits, problems
from .emulator import CPU, CountingError, run

NEEDED = """
import json, platform
import ai_edge_litert, ai_edge_litert.interpreter, cv2, numpy
print(json.dumps({"python": platform.python_version(), "numpy": numpy.__version__,
    "opencv": cv2.__version__, "ai-edge-litert": ai_edge_litert.__version__}))
"""


def main() -> int:
    """Count, print, and compare or save."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--save", action="store_true", help="make this the baseline")
    save = parser.parse_args().save
    try:
        now = count()
    except CountingError as error:
        print(f"cannot count: {error}", file=sys.stderr)
        return 1
    if save:
        now.write()
    before = Counts.read() if BASELINE.is_file() else now
    print(to_text(now, before))
    wrong = list(problems(now, before))
    for line in wrong:
        print(f"error: {line}", file=sys.stderr)
    return 1 if wrong else 0


def count() -> Counts:
    """Count everything.

    Raises:
        CountingError: If it cannot be counted here.
    """
    run("-c", NEEDED)  # the first one compiles the modules
    needed = run("-c", NEEDED)
    setup = {"cpu": CPU, **{name: str(version) for name, version in needed.said[0].items()}}
    starts = {
        "start: Python": run("-c", "pass").total,
        "start: Python and the libraries": needed.total,
        "start: maskwatch run until a picture is judged": count_start(),
    }
    return Counts(setup, {**starts, **run("-m", "benchmarks.instructions.guest.stages").by_name()})


def count_start() -> int:
    """Let the real program judge one picture and end.

    Raises:
        CountingError: If it does not see both faces.
    """
    with TemporaryDirectory() as folder:
        picture, config = Path(folder) / "picture.png", Path(folder) / "config.toml"
        write_picture(picture, clip(1).frames[0].pixels)
        config.write_text("[model]\nthreads = 1\n")
        options = ["--config", str(config), "--source", str(picture), "--lines", "frames"]
        program = ["-m", "maskwatch_edge", "run", *options]
        run(*program)  # the first one compiles the modules
        counted = run(*program)
    faces = counted.said[0]["faces"]
    if not isinstance(faces, list) or len(faces) != 2:
        raise CountingError(f"expected a verdict on two faces; received {counted.said}")
    return counted.total


def to_text(now: Counts, before: Counts) -> str:
    """Lay out the counts in millions, and how they have changed."""
    rows = [f"{'million instructions':50}{'now':>10}{'baseline':>10}"]
    for name, instructions in now.instructions.items():
        row = f"{name:50}{instructions / 1e6:10.2f}"
        if name in before.instructions:
            row += f"{before.instructions[name] / 1e6:10.2f} {growth(now, before, name):+.2%}"
        rows.append(row)
    return "\n".join([*rows, *map(str, limits(now.instructions))])


if __name__ == "__main__":
    sys.exit(main())
