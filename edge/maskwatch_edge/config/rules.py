"""What a single setting may be, and how values are named in messages."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from maskwatch_edge.cameras.addresses import without_password

WORDS = {
    float: "a number",
    int: "a whole number",
    bool: "true or false",
    str: "text",
    Path: "a path",
}
"""Types of single values, and what a user calls them."""

UNWANTED = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters and what is not UTF-8: in no value on purpose, and not to be written out."""

LONGEST_SHOWN = 80
LARGEST_SHOWN = 10**18


class Rule(Protocol):
    """What a value must fulfil beside its type."""

    def allows(self, value: Any) -> bool:
        """Tell whether a value of the right type is allowed."""
        ...

    def says(self, noun: str) -> str:
        """Say what is allowed; `noun` is the type's word."""
        ...


@dataclass(frozen=True)
class Between:
    """A number from `low` to `high`, both included; never NaN."""

    low: float
    high: float

    def allows(self, value: float) -> bool:
        """See `Rule`."""
        return self.low <= value <= self.high

    def says(self, noun: str) -> str:
        """See `Rule`."""
        return f"{noun} from {self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class OneOf:
    """One of a few words."""

    words: tuple[str, ...]

    def allows(self, value: str) -> bool:
        """See `Rule`."""
        return value in self.words

    def says(self, noun: str) -> str:
        """See `Rule`."""
        return " or ".join(map(shown, self.words))


@dataclass(frozen=True)
class Text:
    """Any text, under the name that a user knows it by.

    Attributes:
        what: That name.
        number_too: Whether a file may give a whole number in its place: `source = 0`.
        path_too: Whether it may be the path of a file; see `config_values`.
        pattern: A regular expression for the whole of it.
    """

    what: str
    number_too: bool = False
    path_too: bool = False
    pattern: str = ".*"

    def allows(self, value: str) -> bool:
        """See `Rule`."""
        return bool(value.strip() and re.fullmatch(self.pattern, value))

    def says(self, noun: str) -> str:
        """See `Rule`."""
        return self.what


@dataclass(frozen=True)
class IpAddress:
    """The address of a network interface, in numbers."""

    def allows(self, value: str) -> bool:
        """See `Rule`."""
        return any(_is_of(family, value) for family in (socket.AF_INET, socket.AF_INET6))

    def says(self, noun: str) -> str:
        """See `Rule`."""
        return "an IP address such as 127.0.0.1"


def _is_of(family: socket.AddressFamily, value: str) -> bool:
    try:
        socket.inet_pton(family, value)
    except (OSError, ValueError):  # ValueError: it holds a zero byte, or is no ASCII
        return False
    return True


def is_a(base: type, value: object) -> bool:
    """Tell whether a value has a type of `WORDS`: True is no number, and 5 may stand for 5.0."""
    if base in (int, float):
        numbers = (int, float) if base is float else int
        return isinstance(value, numbers) and not isinstance(value, bool)
    return isinstance(value, base) and not UNWANTED.search(str(value))


def shown(value: object) -> str:
    """Return a value as a message may show it: short, on one line, without a password."""
    if isinstance(value, str | Path):
        text = json.dumps(without_password(str(value)), ensure_ascii=False)
        return text if len(text) <= LONGEST_SHOWN else f'{text[: LONGEST_SHOWN - 4]}..."'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and abs(value) > LARGEST_SHOWN:
        return "a number of many digits"
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list | tuple):
        return "a list"
    return "nothing" if value is None else str(value)
