"""Running a program and killing it at a random point, or letting the disk fail under it."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

STRACE = ("strace", "-qq")
CHANGES = "write,pwrite64,rename,renameat,renameat2,link,unlink,unlinkat,mkdir,ftruncate"
SYNCS = "fsync,fdatasync"
WRITES = ("write", "pwrite64")
LINE = re.compile(r"(\d+) +(\d+\.\d+) (\w+)\((.*)")
PATIENCE_SECONDS = 600
SMALL, LARGE = "size=64m", "size=1g"
FILLER = "filler"

Command = Sequence[str | Path]


@dataclass(frozen=True)
class Moment:
    """A system call that changes files.

    Attributes:
        call: Its name.
        number: It is the so-manieth call of that name in its thread.
        seconds: Since the program started.
    """

    call: str
    number: int
    seconds: float


@dataclass(frozen=True)
class Ended:
    """How a process ended.

    Attributes:
        code: As of `subprocess`.
        out: What it said on stdout.
        err: The same of stderr.
        all_at_once: Whether its children were killed with it, as if the plug had been pulled.
    """

    code: int
    out: str
    err: str
    all_at_once: bool = False

    @property
    def was_killed(self) -> bool:
        """Whether it did not come to its end."""
        return self.code == -signal.SIGKILL


def run(command: Command, folder: Path, environment: Mapping[str, str]) -> Ended:
    """Run a program to its end, and to that of all that it started."""
    with _started(command, folder, environment) as process:
        return _ended(process)


def kill_at_time(
    command: Command, folder: Path, environment: Mapping[str, str], seconds: float, alone: bool
) -> Ended:
    """Run a program and kill it after some time: alone, or with all that it started."""
    with _started(command, folder, environment) as process:
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=seconds)
        with suppress(ProcessLookupError):
            (os.kill if alone else os.killpg)(process.pid, signal.SIGKILL)
        return _ended(process, all_at_once=not alone)


def kill_at(command: Command, moment: Moment, *, has_threads: bool) -> Command:
    """Return the command that kills a program instead of letting it do a system call.

    Args:
        command: The program.
        moment: The call.
        has_threads: Whether it may be in another thread than the main one, which takes longer.
    """
    # With --seccomp-bpf, strace 6.1 sends no signals, and without, each call of TensorFlow counts.
    follow = ["-f"] if has_threads else []
    inject = f"inject={moment.call}:signal=KILL:when={moment.number}"
    trace = ("-o", os.devnull, "-e", f"trace={moment.call}", "-e", inject)
    return [*STRACE, *follow, *trace, *command]


def fail_syncs(command: Command, when: str) -> Command:
    """Return the command under which what is written cannot be brought to the disk.

    Args:
        command: The program.
        when: Which calls fail, as strace has it.
    """
    trace = ("-e", f"trace={SYNCS}", "-e", f"inject={SYNCS}:error=EIO:when={when}")
    return [*STRACE, "-f", "--seccomp-bpf", "-o", os.devnull, *trace, *command]


def moments_of(
    command: Command, folder: Path, environment: Mapping[str, str], *, has_threads: bool
) -> tuple[Ended, list[Moment]]:
    """Run a program to its end, and return by what system calls it changed files."""
    log = folder.with_suffix(".strace")
    trace = ("-f", "--seccomp-bpf", "-y", "-ttt", "-e", f"trace={CHANGES},{SYNCS}", "-o", log)
    start = time.time()
    ended = run([*STRACE, *trace, *command], folder, environment)
    lines = LINE.findall(log.read_text(errors="replace"))
    if not has_threads:
        lines = [line for line in lines if line[0] == lines[0][0]]
    return ended, list(_moments(lines, start, str(folder)))


def _moments(
    lines: Sequence[tuple[str, str, str, str]], start: float, folder: str
) -> Iterator[Moment]:
    numbers: Counter[tuple[str, str]] = Counter()
    for thread, seconds, call, rest in lines:
        numbers[thread, call] += 1
        # A write may be of a pipe; a name may be relative, so the other calls are all taken.
        if call not in WRITES or folder in rest:
            yield Moment(call, numbers[thread, call], float(seconds) - start)


@contextmanager
def full_disk(folder: Path, content: Path, room: int) -> Iterator[Callable[[], None]]:
    """Let a folder be a disk of its own that has only so many bytes left.

    Args:
        folder: Where the disk is mounted.
        content: What is copied to it.
        room: Bytes that are left then.

    Yields:
        What makes room.

    Raises:
        PermissionError: If this user may not mount one.
    """
    if subprocess.run(["mount", "-t", "tmpfs", "-o", SMALL, "kills", folder]).returncode:
        raise PermissionError("a small disk cannot be mounted; that needs root")
    try:
        shutil.copytree(content, folder, symlinks=True, dirs_exist_ok=True)
        _fill(folder / FILLER, room)
        yield lambda: _make_room(folder)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def _make_room(folder: Path) -> None:
    (folder / FILLER).unlink(missing_ok=True)
    subprocess.run(["mount", "-o", f"remount,{LARGE}", folder], check=True)


def _fill(filler: Path, room: int) -> None:
    with filler.open("wb", buffering=0) as file:
        with suppress(OSError):
            while True:
                file.write(bytes(1 << 20))
        file.truncate(file.tell() - room)


@contextmanager
def _started(
    command: Command, folder: Path, environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    with process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _ended(process: subprocess.Popen[str], all_at_once: bool = False) -> Ended:
    """Wait for a process and for those that it left behind, who hold its pipes, too."""
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    return Ended(process.returncode, out, err, all_at_once)


def choose(rng: random.Random, moments: Sequence[Moment]) -> Moment:
    """Choose a kind of system call and then one of them, or most would be of the same kind."""
    call = rng.choice(sorted({moment.call for moment in moments}))
    return rng.choice([moment for moment in moments if moment.call == call])
