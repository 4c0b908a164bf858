"""From what a user wrote to the value of a setting, or to what is wrong with it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from maskwatch_edge.cameras.addresses import is_camera, without_password

from .keys import ConfigError, Key, Problem, keys_of
from .names import hint
from .rules import shown

TRUE_WORDS = frozenset({"true", "yes", "on", "1"})
FALSE_WORDS = frozenset({"false", "no", "off", "0"})


def parse_text(key: Key, text: str) -> object:
    """Read what an environment variable or flag says; give the text back if it makes no sense.

    Lists are written as in TOML: `[{line = "GPIO17"}]`.
    """
    word = text.strip().lower()
    if key.is_list:
        return _parse_toml(text)
    if key.base is bool and word in TRUE_WORDS | FALSE_WORDS:
        return word in TRUE_WORDS
    if key.base in (int, float):
        return _parse_number(key.base, word)
    return text


def _parse_number(kind: type, word: str) -> object:
    try:
        return kind(word)
    except ValueError:
        return word


def _parse_toml(text: str) -> object:
    try:
        document = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    # Text with line breaks in it might hold more than a value.
    return document["value"] if len(document) == 1 else text


def read_value(
    key: Key, name: str, raw: object, folder: Path | None
) -> tuple[object, list[Problem]]:
    """Turn a value as TOML or Python has it into that of a setting.

    Args:
        key: The setting.
        name: What messages call it, such as "camera.source".
        raw: The value.
        folder: Relative paths are relative to it; None leaves them as they are.

    Returns:
        The value and no problems, or anything and all that is wrong with it.
    """
    if key.is_list and not isinstance(raw, tuple):
        return _read_tables(key, name, raw, folder)
    value = convert(key, raw, folder)
    text = key.problem(value)
    return value, [Problem((name,), text)] if text else []


def convert(key: Key, raw: object, folder: Path | None) -> object:
    """Return the value, or what came if it cannot be one: `Key.problem` refuses it then."""
    if key.is_optional and raw == "":
        return None
    if isinstance(raw, bool):
        return raw
    if key.base is float and isinstance(raw, int):
        return _as_float(raw)
    if key.base is Path and isinstance(raw, str):
        return _as_path(raw, folder)
    if key.text and key.text.number_too and isinstance(raw, int) and raw >= 0:
        return str(raw) if raw < 1 << 32 else raw
    if key.text and key.text.path_too and isinstance(raw, str):
        return _as_source(raw, folder)
    return raw


def _as_float(number: int) -> object:
    try:
        return float(number)
    except OverflowError:
        return number


def _as_path(text: str, folder: Path | None) -> object:
    try:
        path = Path(text).expanduser()
    except RuntimeError:  # ~nobody, or a user without a home
        return text
    return (folder or Path()) / path if text else text


def _as_source(text: str, folder: Path | None) -> object:
    is_path = not (is_camera(text) or "://" in text or text.startswith("/"))
    if not is_path or not text.strip() or not (folder or text.startswith("~")):
        return text
    path = _as_path(text, folder)
    return str(path)


def _read_tables(
    key: Key, name: str, raw: object, folder: Path | None
) -> tuple[object, list[Problem]]:
    if not isinstance(raw, list) or not all(isinstance(table, Mapping) for table in raw):
        text = f"expected a list of tables, [[{name}]] in a file; received {shown(raw)}"
        return (), [Problem((name,), text)]
    made, problems = [], []
    for number, table in enumerate(raw, 1):
        section, wrong = _read_table(key.base, f"{name}#{number}", table, folder)
        made += [section] if not wrong else []
        problems += wrong
    return tuple(made), problems


def _read_table(
    section: type, name: str, table: Mapping[str, object], folder: Path | None
) -> tuple[Any, list[Problem]]:
    keys = keys_of(section)
    values: dict[str, object] = {}
    problems = [
        Problem((f"{name}.{key.name}",), f"expected {key.expected}; it is missing")
        for key in keys.values()
        if key.is_required and key.name not in table
    ]
    for key_name, raw in table.items():
        full = f"{name}.{key_name}"
        if key_name in keys:
            values[key_name], wrong = read_value(keys[key_name], full, raw, folder)
            problems += wrong
        else:
            problems.append(Problem((full,), f"there is no such key; {hint(key_name, keys)}"))
    if problems:
        return None, problems
    return build(section, values, name)


def build(section: type, values: Mapping[str, object], name: str) -> tuple[Any, list[Problem]]:
    """Make a section of right values; if these clash, return None and what is wrong."""
    try:
        return section(**values), []
    except ConfigError as error:
        return None, [
            replace(problem, keys=tuple(f"{name}.{key}" for key in problem.keys))
            for problem in error.problems
        ]


def plain(key: Key, value: Any) -> Any:
    """Return a value as text, number, list or None, fit to be printed and to be read back.

    Relative paths are made absolute, and the user and password of an address are left out.
    """
    if key.is_list:
        return [plain_section(one) for one in value]
    if key.base is float and value is not None:
        return float(value)
    if not isinstance(value, str | Path):
        return value
    return without_password(str(convert(key, str(value), Path.cwd())))


def plain_section(section: Any) -> dict[str, Any]:
    """Return a section's values so, by their names."""
    keys = keys_of(type(section))
    return {name: plain(key, getattr(section, name)) for name, key in keys.items()}
