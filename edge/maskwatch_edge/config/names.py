"""What the settings are called in files, in the environment and on the command line."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import get_type_hints

from .keys import Key, keys_of
from .settings import Config

PREFIX = "MASKWATCH_"
PATH_VARIABLE = f"{PREFIX}CONFIG"
"""Names the file, as `--config` does."""

SECTIONS: Mapping[str, type] = MappingProxyType(get_type_hints(Config))
KEYS: Mapping[str, Key] = MappingProxyType(
    {
        f"{name}.{key.name}": key
        for name, section in SECTIONS.items()
        for key in keys_of(section).values()
    }
)
"""Every setting, by the name that messages and flags call it: "camera.source"."""

VARIABLES: Mapping[str, str] = MappingProxyType(
    {f"{PREFIX}{name.replace('.', '_').upper()}": name for name in KEYS}
)
"""The setting that each environment variable gives."""


def nearest(word: str, names: Collection[str]) -> str | None:
    """Return the name that was most likely meant, if one is near."""
    lower = {name.lower(): name for name in names}
    found = difflib.get_close_matches(word.lower(), lower, n=1)
    return lower[found[0]] if found else None


def hint(word: str, names: Collection[str]) -> str:
    """Say which name was most likely meant, or which there are."""
    meant = nearest(word, names)
    return f"did you mean {meant}?" if meant else f"expected one of: {', '.join(names)}"


def unknown_section(name: str) -> str:
    """Say what may have been meant by what is no section; it may be a key outside of one."""
    if elsewhere := _with_key(name):
        return f"there is no such section; did you mean {' or '.join(elsewhere)}?"
    return f"there is no such section; {hint(name, SECTIONS)}"


def unknown_key(name: str) -> str:
    """Say what may have been meant by what is none of `KEYS`, such as "camera.sourse"."""
    section, _, key = name.rpartition(".")
    here = keys_of(SECTIONS[section]) if section in SECTIONS else {}
    near = nearest(key, here)
    meant = [f"{section}.{near}"] if near else _with_key(key)
    if meant:
        return f"there is no such key; did you mean {' or '.join(meant)}?"
    return f"there is no such key; {hint(name, list(here) or KEYS)}"


def unknown_variable(name: str) -> str:
    """Say what may have been meant by a variable that begins with `PREFIX` and is none of ours."""
    names = [variable.removeprefix(PREFIX) for variable in (*VARIABLES, PATH_VARIABLE)]
    meant = nearest(name.removeprefix(PREFIX), names)
    wanted = f"did you mean {PREFIX}{meant}?" if meant else "maskwatch config show lists all keys"
    return f"there is no such variable; {wanted}"


def _with_key(key: str) -> list[str]:
    return [name for name in KEYS if name.endswith(f".{key}")]
