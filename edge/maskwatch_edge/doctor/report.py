"""What `maskwatch doctor` says: findings, as lines for people and as data for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum


class State(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARN = "warn"
    """It works, but not as well as it could, or not for long."""

    FAIL = "fail"
    """Maskwatch cannot do what its configuration asks for."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: What it is, in a word or two.
        state: How bad it is.
        finding: What was seen.
        mend: The command or act that mends it; "" if all is well.
    """

    name: str
    state: State
    finding: str
    mend: str = ""

    def __str__(self) -> str:
        """Return one line, and a second one with what mends it."""
        line = f"{self.state:<4}  {self.name}: {_one_line(self.finding)}"
        return f"{line}\n      → {_one_line(self.mend)}" if self.mend else line


def ok(name: str, finding: str) -> Finding:
    """Say that something is well."""
    return Finding(name, State.OK, finding)


def warn(name: str, finding: str, mend: str) -> Finding:
    """Say that something could be better, and what to do."""
    return Finding(name, State.WARN, finding, mend)


def fail(name: str, finding: str, mend: str) -> Finding:
    """Say that something does not work, and what to do."""
    return Finding(name, State.FAIL, finding, mend)


def split_advice(message: str, otherwise: str) -> tuple[str, str]:
    """Take the message of an error apart: what is wrong, and what to do.

    Args:
        message: Errors of Maskwatch give their advice after a semicolon.
        otherwise: The advice if the message has none.
    """
    finding, _, advice = message.partition("; ")
    return finding, advice.removeprefix("mend it with: ") or otherwise


def exit_code(findings: Iterable[Finding]) -> int:
    """Return 1 if something does not work, else 0."""
    return int(any(finding.state is State.FAIL for finding in findings))


def to_json(findings: Sequence[Finding]) -> str:
    """Return one JSON object: the worst state, and all findings."""
    worst = max((finding.state for finding in findings), key=list(State).index, default=State.OK)
    return json.dumps({"state": worst, "findings": list(map(asdict, findings))}, indent=2)


def _one_line(text: str) -> str:
    return " ".join(text.split())
