"""The subcommands that run on the board."""

from __future__ import annotations

from .command import Command

COMMANDS: tuple[Command, ...] = ()
