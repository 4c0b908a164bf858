"""The subcommands that run on the board, and where each is.

Only the one that is asked for is imported: the others would double the time of a start.
"""

from __future__ import annotations

from importlib import import_module

from .command import Command

MODULES = {
    "bench": "maskwatch_edge.bench.command",
    "config": "maskwatch_edge.config.command",
    "demo": "maskwatch_edge.demo_command",
    "deploy": "maskwatch_edge.deploy.command",
    "detect": "maskwatch_edge.detect_command",
    "doctor": "maskwatch_edge.doctor.command",
    "evaluate": "maskwatch_edge.evaluate.command",
    "keys": "maskwatch_edge.signatures.keys_command",
    "lamp": "maskwatch_edge.lamps.command",
    "licences": "maskwatch_edge.licences.command",
    "models": "maskwatch_edge.models_command",
    "run": "maskwatch_edge.run_command",
    "sign": "maskwatch_edge.signatures.sign_command",
    "stats": "maskwatch_edge.statistics.command",
    "token": "maskwatch_edge.web.command",
    "verify": "maskwatch_edge.signatures.verify_command",
}
"""The module of each command, which calls it `COMMAND`."""


def load_command(name: str) -> Command:
    """Import one of `MODULES`."""
    command = import_module(MODULES[name]).COMMAND
    assert isinstance(command, Command)
    return command
