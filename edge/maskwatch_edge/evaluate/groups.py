"""Named lists of faces, such as profiles or beards, that are told apart in the figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from maskwatch_edge.dataset import LabelledFace, content_digest
from maskwatch_edge.errors import InputError

from .output import warn
from .selection import read_identities


@dataclass(frozen=True)
class Groups:
    """Named lists of faces, by their identities; a face may be on several.

    Attributes:
        files: The text file of each, by the group's name.
        identities: What it lists, see `dataset.LabelledFace.identity`.
    """

    files: Mapping[str, Path]
    identities: Mapping[str, frozenset[str]]

    @classmethod
    def read(cls, files: Sequence[Path]) -> Groups:
        """Read text files, one identity a line; a group is named as its file is.

        Raises:
            InputError: If a file cannot be read or is empty, or two have the same name.
        """
        named: dict[str, Path] = {}
        for file in files:
            other = named.setdefault(file.stem, file)
            if other != file:
                raise InputError(
                    f"expected every group of faces under a name of its own; {other} and {file} "
                    f"would both be {file.stem}: rename one"
                )
        return cls(named, {name: _read(file) for name, file in named.items()})

    def among(
        self, faces: Iterable[LabelledFace], measured: Iterable[LabelledFace]
    ) -> dict[str, frozenset[LabelledFace]]:
        """Look up the listed faces that are measured.

        Args:
            faces: All faces of the data set.
            measured: Those of them that are measured.

        Returns:
            By the group's name; a group without any is left out, and it is said on stderr.

        Raises:
            InputError: If a list names what is no face of the data set, or no group is left.
        """
        known = _by_identity(faces)
        for name, identities in self.identities.items():
            _check_known(self.files[name], identities, known)
        wanted = frozenset(measured)
        found = {name: self._faces_of(name, known) & wanted for name in self.files}
        self._check_measured(found)
        return {name: group for name, group in found.items() if group}

    def _faces_of(
        self, name: str, known: Mapping[str, frozenset[LabelledFace]]
    ) -> frozenset[LabelledFace]:
        return frozenset().union(*(known[identity] for identity in self.identities[name]))

    def _check_measured(self, found: Mapping[str, frozenset[LabelledFace]]) -> None:
        why = "none of the faces listed is measured, after --held-out, --split and --min-face-size"
        if self.files and not any(found.values()):
            raise InputError(f"{', '.join(map(str, self.files.values()))}: {why}")
        for name, group in found.items():
            if not group:
                warn(f"left out: group {name}: {why}")


NO_GROUPS = Groups({}, {})


def _read(file: Path) -> frozenset[str]:
    identities = read_identities(file)
    if not identities:
        raise InputError(
            f"{file} is empty; expected the identities of faces, one a line, as in held_out.txt of "
            "a training run"
        )
    return identities


def _by_identity(faces: Iterable[LabelledFace]) -> dict[str, frozenset[LabelledFace]]:
    """Look up faces by identity; the same picture may be there twice."""
    digests: dict[Path, str] = {}
    known: dict[str, frozenset[LabelledFace]] = {}
    for face in faces:
        try:
            digest = digests.get(face.path) or content_digest(face.path)
        except OSError:
            continue  # where it is to be measured, it is named and skipped
        digests[face.path] = digest
        identity = face.identity_in(digest)
        known[identity] = known.get(identity, frozenset()) | {face}
    return known


def _check_known(
    file: Path, identities: frozenset[str], known: Mapping[str, frozenset[LabelledFace]]
) -> None:
    unknown = sorted(identities - known.keys())
    if unknown:
        raise InputError(
            f"{file}: expected identities of faces of this data set; received {unknown[0]!r}, "
            f"which is none ({len(unknown)} of {len(identities)} are not): was the list made for "
            "another data set, or has a picture or its annotation changed since?"
        )
