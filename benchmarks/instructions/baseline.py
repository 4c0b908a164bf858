"""Counts that were saved, and what has become of them since."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BASELINE = Path(__file__).with_name("baseline.json")

TOLERANCE = 0.01
"""A count may grow by this share. Two counts of the same differ by 0.02 % at most."""

SMALL_CHANGE = 50_000
"""Nor is so little more of anything told: the threads of a turn wait for each other for a little
longer or shorter, which is 0.4 % of a frame in which nothing moves."""


@dataclass(frozen=True)
class Counts:
    """Instructions, and what executed them.

    Attributes:
        setup: Processor and versions: with others, other instructions are executed.
        instructions: Of each stage, by its name.
    """

    setup: Mapping[str, str]
    instructions: Mapping[str, int]

    @classmethod
    def read(cls, path: Path = BASELINE) -> Counts:
        """Read what was saved."""
        content: dict[str, Any] = json.loads(path.read_text())
        return cls(content["setup"], content["instructions"])

    def write(self, path: Path = BASELINE) -> None:
        """Save."""
        content = {"setup": dict(self.setup), "instructions": dict(self.instructions)}
        path.write_text(json.dumps(content, indent=2) + "\n")


@dataclass(frozen=True)
class Limit:
    """A ratio of counts that has to stay low, whatever the baseline says.

    Attributes:
        name: What it is.
        value: What it is now.
        most: What it may be.
    """

    name: str
    value: float
    most: float

    def __str__(self) -> str:
        return f"{self.name}: {self.value:.3f}, at most {self.most:g}"


def limits(instructions: Mapping[str, int]) -> list[Limit]:
    """Return the ratios that the project has set itself."""
    look, find = instructions["look: two people"], instructions["find: all of it"]
    inference = instructions["judge: network"]
    parts = find + 2 * inference
    crowd = instructions["look: crowd of 16"] - instructions["look: crowd of 1"]
    nobody = instructions["turn: nobody"]
    return [
        Limit("a look beyond finder and interpreter, of the look", (look - parts) / look, 0.1),
        Limit("a frame of an empty room, of a look at two people", nobody / look, 0.2),
        Limit("one more face, of an inference", crowd / 15 / inference, 1.1),
    ]


def problems(now: Counts, before: Counts, tolerance: float = TOLERANCE) -> Iterator[str]:
    """Say what is worse than it was, a line each, or cannot be compared."""
    for key in sorted({*now.setup, *before.setup}):
        if now.setup.get(key) != before.setup.get(key):
            yield (
                f"{key} is {now.setup.get(key)}, the baseline was counted with "
                f"{before.setup.get(key)}; count a new one"
            )
    for name in sorted({*now.instructions, *before.instructions}):
        if name not in before.instructions or name not in now.instructions:
            yield f"{name!r} is counted only {_where(name, now)}; count a new baseline"
        elif _has_grown(now, before, name, tolerance):
            yield (
                f"{name!r} executes {growth(now, before, name):.1%} more than the baseline; at "
                f"most {tolerance:.0%} is taken for chance"
            )
    for limit in limits(now.instructions):
        if limit.value > limit.most:
            yield str(limit)


def growth(now: Counts, before: Counts, name: str) -> float:
    """Return by which share of it a count has grown; below 0 if it has become less."""
    return now.instructions[name] / before.instructions[name] - 1


def _has_grown(now: Counts, before: Counts, name: str, tolerance: float) -> bool:
    more = now.instructions[name] - before.instructions[name]
    return more > SMALL_CHANGE and growth(now, before, name) > tolerance


def _where(name: str, now: Counts) -> str:
    return "now" if name in now.instructions else "in the baseline"
