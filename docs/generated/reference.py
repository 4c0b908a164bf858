"""The references of settings, commands and faults, read from the code."""

from __future__ import annotations

import argparse
import ast
import inspect
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

from maskwatch_edge.__main__ import build_parser, find_commands
from maskwatch_edge.config.keys import Key, keys_of
from maskwatch_edge.config.names import SECTIONS, VARIABLES
from maskwatch_edge.config.toml import written
from maskwatch_edge.fault_log import message_id
from maskwatch_edge.faults import Fault


def settings() -> str:
    """Return every setting: what it is, what it may be, its default and its variable."""
    return "\n".join(_all_settings())


def _all_settings() -> Iterator[str]:
    for name, section in SECTIONS.items():
        yield f"## {name}\n\n{inspect.getdoc(section)}\n"
        for key in keys_of(section).values():
            yield from _setting(f"{name}.{key.name}", section, key)


def _setting(name: str, section: type, key: Key) -> Iterator[str]:
    yield f"### `{name}` {{ #{name} }}\n\n{_plain(docstrings(section)[key.name])}\n"
    if key.is_list:
        for inner in keys_of(key.base).values():
            yield from _setting(f"{name}.{inner.name}", key.base, inner)
        return
    variables = {setting: variable for variable, setting in VARIABLES.items()}
    yield f"- Expected: {key.expected}"
    yield f"- Default: {_default(key)}"
    if name in variables:
        yield f"- In the environment: `{variables[name]}`"
    yield ""


def _default(key: Key) -> str:
    return "it must be given" if key.is_required else f"`{written(key.default)}`"


def _plain(text: str) -> str:
    return " ".join(text.replace("None", '`""`').split())


def docstrings(section: type) -> dict[str, str]:
    """Return the docstring under each field of a dataclass."""
    (tree,) = ast.parse(inspect.getsource(section)).body
    assert isinstance(tree, ast.ClassDef)
    found = {}
    for field, text in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr):
            assert isinstance(field.target, ast.Name)
            found[field.target.id] = str(ast.literal_eval(text.value))
    return found


def commands() -> str:
    """Return what `--help` says of each command."""
    # The help is as wide as the terminal, and names the user's home.
    with patch.dict(os.environ, {"COLUMNS": "88", "NO_COLOR": "1", "HOME": str(Path("/home/you"))}):
        parser = build_parser(find_commands())
        return "\n".join(_help(parser, "maskwatch", 2))


def _help(parser: argparse.ArgumentParser, name: str, level: int) -> Iterator[str]:
    yield f"{'#' * level} `{name}`\n\n```text\n{parser.format_help()}```\n"
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            choices: dict[str, Any] = action.choices
            for word, inner in choices.items():
                yield from _help(inner, f"{name} {word}", min(level + 1, 4))


def faults() -> str:
    """Return every fault: what becomes of the watching, its cause and its cure."""
    return "\n".join(map(_fault, sorted(Fault, key=lambda fault: fault.id)))


def _fault(fault: Fault) -> str:
    return (
        f"## `{fault.id}` {{ #{fault.id} }}\n\n{fault.effect}\n\n"
        f"- Cause: {fault.cause}\n- Cure: {fault.cure}\n"
        f"- Severity: {fault.severity.name.lower()}; `MESSAGE_ID={message_id(fault)}`\n"
    )
