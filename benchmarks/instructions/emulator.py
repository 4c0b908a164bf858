"""A Python of a Raspberry Pi's kind in an emulator that counts what it executes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "instructions"

CPU = "cortex-a72"
"""That of a Raspberry Pi 4. A Raspberry Pi 5 has a Cortex-A76."""

MOST_SECONDS = 3600.0


class CountingError(RuntimeError):
    """Instructions cannot be counted."""


@dataclass(frozen=True)
class Counted:
    """What a program said, and what it executed.

    Attributes:
        said: The lines of JSON that it printed.
        marks: The counts that it asked for, instructions of all its threads since its start.
        total: The count at its end.
    """

    said: Sequence[Mapping[str, object]]
    marks: Sequence[int]
    total: int

    def by_name(self) -> dict[str, int]:
        """Return the instructions of each act that `guest.counting.count` counted."""
        fours = [self.marks[i : i + 4] for i in range(0, len(self.marks), 4)]
        return {
            str(each["name"]): round(((four[3] - four[2]) - (four[1] - four[0])) / _times(each))
            for each, four in zip(self.said, fours, strict=True)
        }


def _times(said: Mapping[str, object]) -> int:
    times = said["times"]
    assert isinstance(times, int)
    return times


def run(*arguments: str | Path, package: str = "ai-edge-litert", cpu: str = CPU) -> Counted:
    """Run the emulated Python.

    Args:
        arguments: Of Python.
        package: The interpreter that is installed for it.
        cpu: The emulated processor, as QEMU names it.

    Raises:
        CountingError: If it was not built, or fails.
    """
    if not (BUILD / "key").is_file():
        raise CountingError(
            "there is no emulated Python; build it: benchmarks/instructions/build.sh"
        )
    with NamedTemporaryFile("r", prefix="maskwatch-count-") as log:
        command = [*_emulator(Path(log.name), cpu), str(BUILD / "root/usr/bin/python3.11")]
        done = subprocess.run(
            [*command, *map(str, arguments)],
            env=_environment(package),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=MOST_SECONDS,
            check=False,
        )
        lines = [line.split() for line in log if line.startswith(("mark ", "end "))]
    if done.returncode:
        raise CountingError(f"the emulated Python failed: {done.stderr.strip()[-2000:]}")
    said = [json.loads(line) for line in done.stdout.splitlines()]
    counts = [int(line[2]) for line in lines]
    return Counted(said, counts[:-1], counts[-1])


def _emulator(log: Path, cpu: str) -> list[str]:
    counter = ["-plugin", str(BUILD / "counter.so"), "-d", "plugin", "-D", str(log)]
    return [str(BUILD / "qemu-aarch64"), "-cpu", cpu, *counter, "-L", str(BUILD / "root")]


def _environment(package: str) -> dict[str, str]:
    """Nothing of this machine's, and whatever makes a count the same again."""
    paths = [BUILD / f"site-{package}", BUILD / "own", ROOT / "edge", ROOT]
    return {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": ":".join(map(str, paths)),
        "PYTHONHASHSEED": "0",
        "PYTHONPYCACHEPREFIX": str(BUILD / "cache"),
        "OPENBLAS_NUM_THREADS": "1",
        "OPENCV_FOR_THREADS_NUM": "1",
    }
