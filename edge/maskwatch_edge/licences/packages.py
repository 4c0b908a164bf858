"""The installed packages that Maskwatch needs, and their licences as they tell them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from maskwatch_edge.errors import InputError

UNKNOWN = "unknown"

FREE = frozenset(
    {
        # SPDX identifiers
        *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "EPL-2.0", "ISC"),
        *("GPL-3.0-or-later", "LGPL-2.1-or-later", "MIT", "MIT-0", "MIT-CMU", "MPL-2.0"),
        *("PSF-2.0", "Zlib"),
        # names of classifiers
        *("Apache Software License", "BSD License", "ISC License", "MIT License"),
        *("GNU General Public License v3 or later", "Mozilla Public License 2.0"),
        *("GNU Library or Lesser General Public License", "Python Software Foundation License"),
        # words of packages that use neither
        *("Apache License 2.0", "2-clause BSD License", "3-Clause BSD License"),
    }
)
"""Licences by which everybody may use, study, share and change a work, as packages name them."""

IN_THEIR_FILES = {"namex": "Apache-2.0"}
"""Licences of packages whose metadata tells none, read in the files that come with them."""

REQUIREMENT = re.compile(r"([\w.-]+)\s*(?:\[([^]]*)\])?")
EXTRA = re.compile(r"\bextra\s*==\s*['\"]([^'\"]+)['\"]")


@dataclass(frozen=True)
class Package:
    """An installed package.

    Attributes:
        name: As on the package index, such as "numpy".
        version: Such as "2.4.6".
        licence: An SPDX expression where it gives one, else its own words, or `UNKNOWN`.
    """

    name: str
    version: str
    licence: str

    @property
    def is_free(self) -> bool:
        """Whether every licence that it names is one of `FREE`."""
        return all(name.strip("() ") in FREE for name in re.split(" AND | OR ", self.licence))


def needed_packages(root: str = "maskwatch") -> list[Package]:
    """Return a package and all that it needs, with whatever of its extras is installed, by name.

    Raises:
        InputError: If it is not installed.
    """
    try:
        extras = _told(distribution(root), "Provides-Extra")
    except PackageNotFoundError as error:
        raise InputError(
            f"{root} is not installed here, and so nothing tells what it needs; "
            "mend it with: pip install ."
        ) from error
    waiting = [(root, extra) for extra in ("", *extras)]
    seen: set[tuple[str, str]] = set()
    packages: dict[str, Package] = {}
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        try:
            found = distribution(name)
        except PackageNotFoundError:  # for another system, or of an extra that is not installed
            continue
        packages[name] = Package(found.name, found.version, licence_of(found))
        waiting += _needs(found, extra)
    return sorted(packages.values(), key=lambda package: package.name.lower())


def _needs(package: Distribution, extra: str) -> Iterator[tuple[str, str]]:
    """Give what an extra of a package, "" for the package itself, needs: name, and its extra."""
    for line in package.requires or ():
        requirement, _, marker = line.partition(";")
        belongs_to = EXTRA.findall(marker) or [""]
        if extra in belongs_to and (match := REQUIREMENT.match(requirement)):
            name = re.sub(r"[-_.]+", "-", match[1]).lower()
            yield name, ""
            for wanted in (match[2] or "").split(","):
                yield name, wanted.strip()


def licence_of(package: Distribution) -> str:
    """Return the licence that a package tells, the most exact of its ways to do so."""
    for name in _told(package, "License-Expression"):
        return name
    classes = [name for name in _told(package, "Classifier") if name.startswith("License :: ")]
    if classes:
        return " AND ".join(re.sub(r" \(.*\)$", "", name.split(" :: ")[-1]) for name in classes)
    for text in _told(package, "License"):
        return text.strip().splitlines()[0]
    return IN_THEIR_FILES.get(package.name, UNKNOWN)


def _told(package: Distribution, field: str) -> list[str]:
    return [text for text in package.metadata.get_all(field) or () if text.strip()]
