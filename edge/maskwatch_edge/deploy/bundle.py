"""What is sent to a board: one archive with checksums, so that a part is never taken for it."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from .wheels import digest

MEBIBYTE = 1 << 20

RECEIVE = r"""
set -eu
cache=${MASKWATCH_ROOT:-}/var/cache/maskwatch
bundle=$cache/bundle
refuse() { echo "what was sent did not arrive whole" >&2; exit 1; }
rm -rf "$bundle"
mkdir -p "$cache/wheels" "$bundle"
trap 'rm -rf "$bundle"' EXIT
cd "$bundle"
tar -xof - || refuse
[ -z "$(find . ! -type f ! -type d)" ] || refuse
sha256sum --quiet --strict --check SHA256SUMS || refuse
mkdir -p wheels program
for wheel in wheels/*.whl; do
    [ ! -f "$wheel" ] || mv "$wheel" "$cache/wheels/"
done
while read -r wheel; do ln "$cache/wheels/$wheel" program/; done <WHEELS
current=${MASKWATCH_ROOT:-}/opt/maskwatch/current
keys=${MASKWATCH_ROOT:-}/etc/maskwatch/trusted-keys
python() { "$current/venv/bin/python" -P -m "$@"; }
if [ -e "$keys" ] && [ -d installer ]; then
    [ -L "$current" ] || { echo "nothing here could check signatures; remove $keys" >&2; exit 1; }
    python maskwatch_edge verify --trust "$keys" program/maskwatch-*.whl >&2
    rm -r installer
    python zipfile -e program/maskwatch-*.whl unpacked
    mv unpacked/maskwatch_edge/systemd installer
fi
script=$current/installer/install.sh
[ ! -d installer ] || script=$bundle/installer/install.sh
trap '' PIPE HUP
code=0
sh "$script" "$@" || code=$?
if [ $code = 0 ] && [ -s WHEELS ]; then
    for wheel in "$cache/wheels/"*; do
        [ -f "program/${wheel##*/}" ] || rm -f "$wheel"
    done
fi
exit $code
"""
"""Runs on the board as root: takes the archive, checks it, installs what is in it.

Where keys are trusted, not even the installer is run before the signature of the wheel that it is
in was checked.
"""


@dataclass
class Bundle:
    """What is sent.

    Attributes:
        files: Contents, or files with them, by their names in the archive.
        wheels: Names of all wheels of the program; the board has those that are not in `files`.
    """

    files: dict[str, bytes | Path] = field(default_factory=dict)
    wheels: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(map(_size, self.files.values()))

    def write(self, stream: IO[bytes], tell: Callable[[str], None]) -> None:
        """Write the archive; the checksums come first."""
        sums = "".join(f"{_digest(content)}  {name}\n" for name, content in self.files.items())
        names = "".join(f"{name}\n" for name in self.wheels).encode()
        with tarfile.open(fileobj=stream, mode="w|") as archive:
            _add(archive, "SHA256SUMS", f"{_digest(names)}  WHEELS\n{sums}".encode())
            _add(archive, "WHEELS", names)
            for name, content in self.files.items():
                if _size(content) >= MEBIBYTE:
                    tell(f"sending {Path(name).name}, {_size(content) / MEBIBYTE:.1f} MiB")
                _add(archive, name, content)


def _size(content: bytes | Path) -> int:
    return content.stat().st_size if isinstance(content, Path) else len(content)


def _digest(content: bytes | Path) -> str:
    return digest(content) if isinstance(content, Path) else hashlib.sha256(content).hexdigest()


def _add(archive: tarfile.TarFile, name: str, content: bytes | Path) -> None:
    member = tarfile.TarInfo(name)
    member.mode = 0o644
    member.size = _size(content)
    if isinstance(content, Path):
        with content.open("rb") as file:
            archive.addfile(member, file)
    else:
        archive.addfile(member, io.BytesIO(content))
