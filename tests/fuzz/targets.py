"""All that is fuzzed, by name."""

from __future__ import annotations

from .files import FILES
from .peers import PEERS
from .target import Target

TARGETS: dict[str, Target] = FILES | PEERS
