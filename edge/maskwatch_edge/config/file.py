"""The configuration of a run: defaults, then the file, then the environment, then flags.

Every layer is checked by itself and all problems are told at once, so that a file is mended in
one go.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from maskwatch_edge.cameras.addresses import without_password
from maskwatch_edge.printing import one_line

from .keys import ConfigError, Problem
from .names import (
    KEYS,
    PATH_VARIABLE,
    PREFIX,
    SECTIONS,
    VARIABLES,
    unknown_key,
    unknown_section,
    unknown_variable,
)
from .rules import shown
from .settings import Config
from .toml import read_document, written
from .values import build, parse_text, plain_section, read_value

DEFAULT_PATH = Path("/etc/maskwatch/config.toml")
"""Read if it is there and no other file is named."""

DEFAULT, FLAG = "default", "flag"


@dataclass(frozen=True)
class LoadedConfig:
    """A configuration, and where each of its values came from.

    Attributes:
        config: The values.
        origins: For each of `KEYS`: "default", "file PATH", "environment NAME" or "flag".
        path: The file that was read; None if there was none.
    """

    config: Config
    origins: Mapping[str, str]
    path: Path | None


def load_config(
    path: Path | None, environment: Mapping[str, str], flags: Mapping[str, object]
) -> LoadedConfig:
    """Load the effective configuration.

    Args:
        path: The file; None for the one that `MASKWATCH_CONFIG` names, or else `DEFAULT_PATH`,
            which need not be there.
        environment: Variables such as `MASKWATCH_CAMERA_SOURCE`; others than `MASKWATCH_...`
            are nobody's business here.
        flags: Values by the names of `KEYS`, typed or as text; None stands for not given. Here
            and in the environment, relative paths stay relative to the working directory.

    Raises:
        ConfigError: With all that is wrong, a line each.
    """
    draft = _Draft()
    variable = environment.get(PATH_VARIABLE)
    read_from = draft.put_file(path or (Path(variable) if variable else None))
    draft.put_environment(environment)
    draft.put_flags(flags)
    return LoadedConfig(draft.finish(), MappingProxyType(draft.origins), read_from)


class _Draft:
    """A configuration that layer upon layer is put onto."""

    def __init__(self) -> None:
        self.origins = dict.fromkeys(KEYS, DEFAULT)
        self._values: dict[str, dict[str, object]] = {name: {} for name in SECTIONS}
        self._problems: list[Problem] = []
        self._wrong: set[str] = set()

    def put_file(self, path: Path | None) -> Path | None:
        """Put what a file says, and return its path; None for the default one, if it is there."""
        found = path or DEFAULT_PATH
        try:
            document = read_document(found, may_be_missing=path is None)
        except ConfigError as error:
            self._problems += error.problems
            return None
        if document is None:
            return None
        for section, table in document.items():
            self._put_section(section, table, found)
        return found

    def _put_section(self, section: str, table: object, path: Path) -> None:
        origin = f"file {path}"
        if section not in SECTIONS:
            self._refuse(section, unknown_section(section), origin)
        elif not isinstance(table, dict):
            text = f"expected a table, [{section}]; received {shown(table)}"
            self._refuse(section, text, origin)
        else:
            for key, raw in table.items():
                self._put(f"{section}.{key}", raw, origin, path.absolute().parent)

    def put_environment(self, environment: Mapping[str, str]) -> None:
        for variable, text in environment.items():
            if not variable.startswith(PREFIX) or variable == PATH_VARIABLE:
                continue
            origin = f"environment {variable}"
            if name := VARIABLES.get(variable):
                self._put(name, parse_text(KEYS[name], text), origin)
            else:
                self._problems.append(Problem((), unknown_variable(variable), origin))

    def put_flags(self, flags: Mapping[str, object]) -> None:
        for name, raw in flags.items():
            is_text = isinstance(raw, str) and name in KEYS
            value = parse_text(KEYS[name], str(raw)) if is_text else raw
            if value is not None:
                self._put(name, value, FLAG)

    def _put(self, name: str, raw: object, origin: str, folder: Path | None = None) -> None:
        if name not in KEYS:
            self._refuse(name, unknown_key(name), origin)
            return
        value, problems = read_value(KEYS[name], name, raw, folder)
        if problems:
            self._problems += [replace(one, where=_where(origin)) for one in problems]
            self._wrong.add(name)
            return
        section, _, key = name.partition(".")
        self._values[section][key] = value
        self.origins[name] = origin
        self._wrong.discard(name)

    def _refuse(self, name: str, text: str, origin: str) -> None:
        self._problems.append(Problem((name,), text, _where(origin)))

    def finish(self) -> Config:
        """Make the configuration of what was put, or raise all that is wrong."""
        sections = {}
        for name, section in SECTIONS.items():
            sections[name], clashes = build(section, self._values[name], name)
            self._problems += [
                self._placed(clash) for clash in clashes if self._wrong.isdisjoint(clash.keys)
            ]
        if self._problems:
            raise ConfigError(self._problems)
        return Config(**sections)

    def _placed(self, clash: Problem) -> Problem:
        """Say of a clash where its values come from: one of them may be nobody's doing."""
        origins = {key: self.origins[key] for key in clash.keys}
        told = next((origin for origin in origins.values() if origin != DEFAULT), DEFAULT)
        others = [f"{key}: {origin}" for key, origin in origins.items() if origin != told]
        text = f"{clash.text} ({', '.join(others)})" if others else clash.text
        return Problem(clash.keys, text, _where(told))


def _where(origin: str) -> str:
    """Return how a message names an origin: a file by its bare path, as compilers do."""
    return origin.removeprefix("file ")


def to_toml(loaded: LoadedConfig) -> str:
    """Write it as a file that gives the same again, with the origin of each value beside it.

    Paths are absolute, and an address comes without its user and password.
    """
    parts = []
    for section in SECTIONS:
        lines, tables = [f"[{section}]"], []
        values = getattr(loaded.config, section)
        for name, value in plain_section(values).items():
            full = f"{section}.{name}"
            comment = one_line(loaded.origins[full]) + _omission(getattr(values, name))
            if KEYS[full].is_list and value:
                tables += [_table(full, one, comment) for one in value]
            else:
                lines.append(f"{name} = {written(value)}  # {comment}")
        parts += ["\n".join(lines), *tables]
    return "\n\n".join(parts) + "\n"


def _omission(value: object) -> str:
    is_cut = isinstance(value, str) and without_password(value) != value
    return "; its user and password are left out here" if is_cut else ""


def _table(name: str, values: Mapping[str, object], comment: str) -> str:
    lines = [f"{key} = {written(value)}" for key, value in values.items()]
    return "\n".join([f"[[{name}]]  # {comment}", *lines])


def to_dict(loaded: LoadedConfig) -> dict[str, Any]:
    """Return the same as plain data: the file, and value and origin of each setting."""
    settings = {
        f"{section}.{name}": {"value": value, "origin": loaded.origins[f"{section}.{name}"]}
        for section in SECTIONS
        for name, value in plain_section(getattr(loaded.config, section)).items()
    }
    return {"file": str(loaded.path) if loaded.path else None, "settings": settings}
