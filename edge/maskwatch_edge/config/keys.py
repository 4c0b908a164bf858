"""The settings of a section, read from its dataclass, and what is wrong with their values.

A dataclass of settings inherits `Section` and annotates its fields. Everything else follows from
that: checking, reading a file and the environment, writing out.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, ClassVar, Protocol, Union, get_args, get_origin, get_type_hints

from maskwatch_edge.errors import InputError
from maskwatch_edge.faults import Fault
from maskwatch_edge.printing import one_line

from .rules import WORDS, Rule, Text, is_a, shown


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        keys: The settings that it concerns, the one to be named first; empty for a whole file.
        text: What was expected and what came.
        where: The file, variable or flag that it came from; "" if it was given in Python.
    """

    keys: tuple[str, ...]
    text: str
    where: str = ""

    def __str__(self) -> str:
        """Return it as one line."""
        return one_line(": ".join(filter(None, (self.where, *self.keys[:1], self.text))))


class ConfigError(InputError):
    """Settings are not what was expected; `problems` holds all that is wrong, a line each."""

    fault = Fault.CONFIGURATION_WRONG

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True)
class Key:
    """One setting, as its dataclass declares it.

    Attributes:
        name: The field's name.
        base: Type of its value: a key of `WORDS`, or the `Section` that each table makes.
        rules: What the value must fulfil.
        is_optional: Whether it may be None, which a user writes as "".
        default: `dataclasses.MISSING` if it must be given.
    """

    name: str
    base: type
    rules: tuple[Rule, ...]
    is_optional: bool
    default: Any

    @property
    def is_list(self) -> bool:
        """Whether it is a list of tables."""
        return issubclass(self.base, Section)

    @property
    def is_required(self) -> bool:
        """Whether it must be given."""
        return self.default is dataclasses.MISSING

    @property
    def text(self) -> Text | None:
        """Its rule for text, if it has one."""
        return next((rule for rule in self.rules if isinstance(rule, Text)), None)

    @property
    def expected(self) -> str:
        """What may be given, in words."""
        if self.is_list:
            return "a list of tables"
        noun = WORDS[self.base]
        said = " and ".join(rule.says(noun) for rule in self.rules) or noun
        return f'{said}, or "" for none' if self.is_optional else said

    def allows(self, value: object) -> bool:
        """Tell whether a field may hold the value."""
        if value is None:
            return self.is_optional
        if self.is_list:
            return isinstance(value, tuple) and all(isinstance(one, self.base) for one in value)
        return is_a(self.base, value) and all(rule.allows(value) for rule in self.rules)

    def problem(self, value: object) -> str | None:
        """Say what is wrong with a value, if anything is."""
        return None if self.allows(value) else f"expected {self.expected}; received {shown(value)}"


class Check(Protocol):
    """What the settings of one section must fulfil together; asked if each is right alone."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The fields that it looks at, the one to be named first."""
        ...

    def problem(self, section: Any) -> str | None:
        """Say what is wrong, if anything is."""
        ...


@dataclass(frozen=True)
class NotAbove:
    """One number may not be larger than another."""

    lower: str
    upper: str

    @property
    def keys(self) -> tuple[str, ...]:
        """See `Check`."""
        return self.lower, self.upper

    def problem(self, section: Any) -> str | None:
        """See `Check`."""
        lower, upper = getattr(section, self.lower), getattr(section, self.upper)
        if lower <= upper:
            return None
        return f"expected at most {self.upper}, which is {shown(upper)}; received {shown(lower)}"


@dataclass(frozen=True)
class OnlyFor:
    """A setting belongs to some values of another one, and would have no effect beside others."""

    name: str
    other: str
    values: tuple[object, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """See `Check`."""
        return self.name, self.other

    def problem(self, section: Any) -> str | None:
        """See `Check`."""
        value, other = getattr(section, self.name), getattr(section, self.other)
        if value is None or other in self.values:
            return None
        owners = " or ".join(map(shown, self.values))
        return (
            f"expected none, as it belongs to the {self.other} {owners} and {self.other} is "
            f"{shown(other)}; received {shown(value)}"
        )


@dataclass(frozen=True)
class NeededFor:
    """A setting has no effect without another one, which may be none."""

    needed: str
    name: str

    @property
    def keys(self) -> tuple[str, ...]:
        """See `Check`."""
        return self.needed, self.name

    def problem(self, section: Any) -> str | None:
        """See `Check`."""
        if getattr(section, self.needed) is not None or getattr(section, self.name) is None:
            return None
        return f"expected one, as {self.name} is given; received none"


@dataclass(frozen=True)
class InPlaceOf:
    """A setting takes the place of another one, which then has to be left as it comes."""

    name: str
    other: str
    default: object

    @property
    def keys(self) -> tuple[str, ...]:
        """See `Check`."""
        return self.name, self.other

    def problem(self, section: Any) -> str | None:
        """See `Check`."""
        value, other = getattr(section, self.name), getattr(section, self.other)
        if value is None or other == self.default:
            return None
        return (
            f"expected none, as {self.other} is {shown(other)} and only one of the two counts; "
            f"received {shown(value)}"
        )


class Section:
    """Base of the frozen dataclasses of settings: checks them when they are made.

    Raises:
        ConfigError: With everything that is wrong in it.
    """

    CHECKS: ClassVar[tuple[Check, ...]] = ()

    def __post_init__(self) -> None:
        wrong = list(self._wrong_values())
        names = {problem.keys[0] for problem in wrong}
        if problems := [*wrong, *self._clashes(names)]:
            raise ConfigError(problems)

    def _wrong_values(self) -> Iterator[Problem]:
        for key in keys_of(type(self)).values():
            if text := key.problem(getattr(self, key.name)):
                yield Problem((key.name,), text)

    def _clashes(self, wrong: set[str]) -> Iterator[Problem]:
        for check in self.CHECKS:
            if wrong.isdisjoint(check.keys) and (text := check.problem(self)):
                yield Problem(check.keys, text)


def keys_of(section: type) -> Mapping[str, Key]:
    """Return the settings of a section's dataclass by name, in its order."""
    return _keys_of(section)


@cache
def _keys_of(section: Any) -> Mapping[str, Key]:
    hints = get_type_hints(section, include_extras=True)
    fields = dataclasses.fields(section)
    keys = {field.name: _key(field.name, hints[field.name], field.default) for field in fields}
    return MappingProxyType(keys)


def _key(name: str, hint: Any, default: Any) -> Key:
    is_optional = get_origin(hint) in (Union, UnionType)
    if is_optional:
        (hint,) = (part for part in get_args(hint) if part is not NoneType)
    base, *rules = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    if get_origin(base) is tuple:
        base = get_args(base)[0]
    return Key(name, base, tuple(rules), is_optional, default)
