"""What the benchmarks share: rounds, ratios with their spread, tables, and files of figures."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

from maskwatch_edge.bench.progress import Progress
from maskwatch_edge.doctor.board import check_board
from maskwatch_edge.doctor.system import RealSystem
from maskwatch_edge.files import write_atomically

PACKAGES = ("numpy", "opencv-python-headless", "ai-edge-litert", "tflite-runtime", "tensorflow")


@dataclass(frozen=True)
class Spread:
    """A figure that was measured in several rounds.

    Attributes:
        median: The middle one.
        least: The smallest.
        most: The largest.
    """

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """Sum up at least one value."""
        ranked = sorted(values)
        return cls(median(ranked), ranked[0], ranked[-1])

    def __str__(self) -> str:
        return f"{_short(self.median)} ({_short(self.least)} to {_short(self.most)})"


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


@dataclass(frozen=True)
class Cost:
    """What a piece of work took.

    Attributes:
        wall_ms: By the clock on the wall.
        cpu_ms: Of all threads and cores.
    """

    wall_ms: float
    cpu_ms: float


def cost_of(work: Callable[[], object], pieces: int) -> Cost:
    """Do a work, and return what each of its pieces took."""
    began, began_cpu = time.perf_counter(), time.process_time()
    work()
    wall, cpu = time.perf_counter() - began, time.process_time() - began_cpu
    return Cost(1000 * wall / pieces, 1000 * cpu / pieces)


def interleaved(
    cases: Mapping[str, Callable[[], Cost]], rounds: int, warm_ups: int = 0
) -> dict[str, list[Cost]]:
    """Measure every case in each round, so that what disturbs one disturbs its neighbours, too.

    Args:
        cases: Each does its work once and returns its cost.
        rounds: How many count.
        warm_ups: Rounds before them.
    """
    costs: dict[str, list[Cost]] = {name: [] for name in cases}
    progress = Progress(len(cases) * (rounds + warm_ups))
    done = 0
    for number in range(-warm_ups, rounds):
        for name, measure in cases.items():
            cost = measure()
            if number >= 0:
                costs[name].append(cost)
            progress.show(done := done + 1)
    progress.clear()
    return costs


def summary(costs: Mapping[str, Sequence[Cost]], reference: str) -> dict[str, dict[str, Spread]]:
    """Sum up each case, and its ratios to one of them, taken round by round."""
    base = costs[reference]
    return {
        name: {
            "wall_ms": Spread.of(cost.wall_ms for cost in each),
            "cpu_ms": Spread.of(cost.cpu_ms for cost in each),
            "wall_ratio": Spread.of(_ratios(each, base, "wall_ms")),
            "cpu_ratio": Spread.of(_ratios(each, base, "cpu_ms")),
        }
        for name, each in costs.items()
    }


def _ratios(costs: Sequence[Cost], base: Sequence[Cost], what: str) -> list[float]:
    pairs = zip(costs, base, strict=True)
    return [getattr(cost, what) / max(getattr(other, what), 1e-9) for cost, other in pairs]


def print_table(title: str, figures: Mapping[str, Mapping[str, object]]) -> None:
    """Print a row for each case and a column for each figure."""
    columns = list(next(iter(figures.values())))
    names = max(len(name) for name in [title, *figures])
    print(f"\n{title:{names}}" + "".join(f"  {column:>24}" for column in columns))
    for name, row in figures.items():
        print(f"{name:{names}}" + "".join(f"  {row[column]!s:>24}" for column in columns))


def machine() -> dict[str, str]:
    """Describe what is measured on."""
    found = {package: _version(package) for package in PACKAGES}
    return {
        "machine": next(iter(check_board(RealSystem()))).finding,
        "python": sys.version.split()[0],
        **{package: number for package, number in found.items() if number},
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def parser_of(about: str | None, out: str) -> argparse.ArgumentParser:
    """Make a parser with the options that all benchmarks have; `out` is the file of figures."""
    parser = argparse.ArgumentParser(
        description=(about or "").splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=7, help="how often each case is measured")
    parser.add_argument("--json", type=Path, default=Path("build") / out, help="file of figures")
    return parser


def write_figures(path: Path, figures: Mapping[str, Any]) -> None:
    """Write figures, and what they were measured on."""
    content = {"measured_on": machine(), **figures}
    write_atomically(path, json.dumps(content, indent=2, default=_plain) + "\n")
    print(f"\nwrote {path}")


def _plain(value: Any) -> Any:
    return asdict(value)
