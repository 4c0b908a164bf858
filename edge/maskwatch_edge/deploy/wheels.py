"""The program as wheels: ours from the checkout, and those it needs for another machine."""

from __future__ import annotations

import email
import hashlib
import importlib.util
import lzma
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from maskwatch_edge.contract import UNREADABLE
from maskwatch_edge.errors import InputError, OutputError

OLDEST_GLIBC = 17
"""The oldest glibc 2.x that wheels of today are built for."""

INSTALLER = "maskwatch_edge/systemd/"
"""Where the wheel carries the scripts and units of the board."""

LOCKS = "maskwatch_edge/requirements/"
"""Where the wheel carries the versions and SHA-256 of what it needs on a board."""

HASHES = re.compile(r" \\\n +--hash=sha256:([0-9a-f]{64})")
"""Those of one version in a lock, a line each."""

MAX_OWN_BYTES = 1 << 20
"""Of what is read of a wheel, unpacked."""


@dataclass(frozen=True)
class Target:
    """The machine that wheels are for.

    Attributes:
        machine: As `uname -m` says, such as "aarch64".
        python: Such as (3, 11).
        libc: Version of glibc, such as (2, 36); wheels may be built for older ones.
        lock: The file of `LOCKS` that holds what it is given.
    """

    machine: str
    python: tuple[int, int]
    libc: tuple[int, int]
    lock: str = "board.txt"

    def pip_options(self) -> list[str]:
        """Return the options that make pip choose for this machine instead of its own."""
        major, minor = self.python
        versions = range(self.libc[1], OLDEST_GLIBC - 1, -1)
        platforms = [f"manylinux_2_{version}_{self.machine}" for version in versions]
        platforms += [f"manylinux2014_{self.machine}", f"linux_{self.machine}"]
        abis = [f"cp{major}{minor}", "abi3", "none"]
        return [
            "--only-binary=:all:",
            "--implementation=cp",
            f"--python-version={major}.{minor}",
            *(f"--abi={abi}" for abi in abis),
            *(f"--platform={platform}" for platform in platforms),
        ]


@dataclass(frozen=True)
class Wheel:
    """A wheel of Maskwatch.

    Attributes:
        path: The file.
        version: Of Maskwatch.
        requirements: What it asks for, a line each.
    """

    path: Path
    version: str
    requirements: tuple[str, ...]

    def installer(self) -> dict[str, bytes]:
        """Return the scripts and units that fit this version, by their names below `systemd/`.

        Raises:
            InputError: If it carries none, or is broken.
        """
        return self._folder(INSTALLER, "install.sh")

    def lock(self, name: str) -> str:
        """Return one of the files that name what this version needs, and the SHA-256 of each.

        Raises:
            InputError: If it carries none, or is broken.
        """
        return self._folder(LOCKS, name)[name].decode(errors="replace")

    def _folder(self, folder: str, wanted: str) -> dict[str, bytes]:
        found = _read_members(self.path, lambda name: name.startswith(folder))
        files = {name.removeprefix(folder): content for name, content in found.items()}
        if wanted not in files:
            raise InputError(f"{self.path} carries no {folder}{wanted}; build it anew: make wheel")
        return files


def read_wheel(path: Path) -> Wheel:
    """Read what a wheel says of itself.

    Raises:
        InputError: If it is no wheel of Maskwatch.
    """
    found = _read_members(path, lambda name: name.endswith(".dist-info/METADATA"))
    metadata = email.message_from_bytes(b"".join(found.values()))
    if metadata["Name"] != "maskwatch":
        raise InputError(
            f"{path} is a wheel of {metadata['Name']!s:.80}; expected one of maskwatch"
        )
    return Wheel(path, metadata["Version"], tuple(metadata.get_all("Requires-Dist") or ()))


def _read_members(path: Path, is_wanted: Callable[[str], bool]) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if is_wanted(member.filename)]
            if sum(member.file_size for member in members) > MAX_OWN_BYTES:
                raise ValueError("what it says of itself would fill the memory")
            return {member.filename: archive.read(member) for member in members}
    except (OSError, lzma.LZMAError, *UNREADABLE) as error:
        raise InputError(f"{path} is not a wheel; make one with: make wheel") from error


def checkout() -> Path | None:
    """Return the checkout that this program runs from; None if it was installed from a wheel."""
    top = Path(__file__).parents[3]
    return top if (top / "pyproject.toml").is_file() else None


def build_wheel(folder: Path) -> Wheel:
    """Build the wheel of the checkout into a folder.

    Raises:
        InputError: If this program does not run from one.
        OutputError: If it cannot be built.
    """
    top = checkout()
    if top is None:
        raise InputError(
            "give the program with --wheel FILE: there is no checkout to build it from"
        )
    run_pip("wheel", "--no-deps", f"--wheel-dir={folder}", str(top))
    return read_wheel(next(folder.glob("maskwatch-*.whl")))


def fetch_dependencies(wheel: Wheel, extras: str, target: Target, cache: Path) -> list[Path]:
    """Return the wheels that a wheel needs on a machine; fetch them if the cache lacks them.

    They are those of the lock that the wheel itself carries, to the byte: another version of
    Maskwatch brings another lock, and one without any is refused.

    Args:
        wheel: Of Maskwatch.
        extras: Of its extras, as pip takes them; "" for none.
        target: The machine that they are for.
        cache: A folder of folders, one for each answer; each appears whole or not at all.

    Raises:
        InputError: If the wheel carries no lock.
        OutputError: If they cannot be fetched, or one is not in the lock.
    """
    lock = wheel.lock(target.lock)
    question = "\n".join([repr(target), extras, lock, *wheel.requirements])
    folder = cache / hashlib.sha256(question.encode()).hexdigest()[:16]
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix=".new-") as temporary:
            _download(wheel, extras, target, lock, Path(temporary))
            _move_into_place(Path(temporary), folder)
    _check(folder, lock)
    return sorted(folder.glob("*.whl"))


def _download(wheel: Wheel, extras: str, target: Target, lock: str, folder: Path) -> None:
    wanted = f"{wheel.path}[{extras}]" if extras else str(wheel.path)
    # With the hashes, pip would ask for one of our own wheel.
    versions = folder / "versions.txt"
    versions.write_text(HASHES.sub("", lock))
    limits = [f"--constraint={versions}", *target.pip_options()]
    run_pip("download", f"--dest={folder}", *limits, wanted)
    (folder / wheel.path.name).unlink(missing_ok=True)


def _check(folder: Path, lock: str) -> None:
    known = set(HASHES.findall(lock))
    strange = [path.name for path in folder.glob("*.whl") if digest(path) not in known]
    if strange:
        shutil.rmtree(folder)  # whether it came so or went bad here: the next time asks anew
        raise OutputError(
            f"{strange[0]} is not what this version of Maskwatch is locked to, by its SHA-256; "
            "does pip ask another package index (pip config list), or is it newer than the lock "
            "(make lock)?"
        )


def _move_into_place(temporary: Path, folder: Path) -> None:
    wheels = temporary / "wheels"
    wheels.mkdir()
    for path in temporary.glob("*.whl"):
        path.rename(wheels / path.name)
    wheels.rename(folder)


def run_pip(*words: str) -> None:
    """Run this environment's pip.

    Raises:
        OutputError: With the reason that pip gives, or if there is none.
    """
    if importlib.util.find_spec("pip") is None:
        raise OutputError("this environment has no pip; mend it with: python -m ensurepip")
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *words]
    result = subprocess.run(command, capture_output=True, text=True, errors="replace")  # noqa: S603
    if result.returncode:
        raise OutputError(f"pip {words[0]} failed: {_reason(result.stderr.splitlines())}")


def _reason(lines: Sequence[str]) -> str:
    told = [line for line in lines if line.startswith("ERROR: ")] or [*lines, "it gave no reason"]
    reason = told[0].removeprefix("ERROR: ").strip()
    return f"{reason}; is the package index reached? See: pip download --help"


def default_cache() -> Path:
    """Return the folder where wheels are kept between two deployments."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "maskwatch/wheels"


def digest(path: Path) -> str:
    """Return a file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
