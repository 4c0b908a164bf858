"""The trials of one target: each interrupts it once, looks at what is left, and runs it again."""

from __future__ import annotations

import random
import shutil
import time
from dataclasses import replace
from pathlib import Path

from .killing import (
    SYNCS,
    Ended,
    Moment,
    choose,
    fail_syncs,
    full_disk,
    kill_at,
    kill_at_time,
    moments_of,
    run,
)
from .targets import Target

FAILING_SYNCS = 3
HAS_STRACE = shutil.which("strace") is not None


class Campaign:
    """Interrupts a target at random points.

    Args:
        target: The program.
        scratch: An empty folder; `trial` in it is what the last trial left.
        seed: Decides where it is interrupted.
    """

    def __init__(self, target: Target, scratch: Path, seed: int) -> None:
        self._target, self._rng = target, random.Random(seed)
        self._scratch, self._trial = scratch, scratch / "trial"
        self._before, self._whole = scratch / "before", scratch / "whole"
        for folder in (self._before, scratch / "temporary"):
            folder.mkdir()
        target.prepare(self._before)
        shutil.copytree(self._before, self._whole, symlinks=True)
        self._moments, self._steps = self._observe()
        target.check_whole(self._whole, self._whole)

    def kill(self, in_a_row: int = 1) -> None:
        """Kill so many runs, each of which goes on from the one before; let the next end well."""
        killed = 0
        self._begin()
        while killed < in_a_row:
            ended = self._kill()
            self._check(ended)
            killed += ended.was_killed
            if not ended.was_killed:  # it had come to its end
                self._begin()
        self._go_on()

    def fill_disk(self) -> None:
        """Run it once on a disk that gets full.

        Raises:
            PermissionError: If this user may not mount a small disk.
        """
        self._begin()
        room = self._rng.randrange(self._target.room_bytes)
        disk, content = self._trial / self._target.disk, self._before / self._target.disk
        with full_disk(disk, content, room) as make_room:
            self._check_failed(self._run())
            make_room()
            self._go_on()

    def fail_sync(self) -> None:
        """Run it once on a disk that refuses to sync.

        Raises:
            FileNotFoundError: If strace is not here.
        """
        self._begin()
        self._check_failed(self._run_with_failing_sync())
        self._go_on()

    def _observe(self) -> tuple[list[Moment], list[str]]:
        """Run it without interruption; return where it may be interrupted."""
        command, environment = self._target.command(self._whole), self._environment(self._whole)
        start = time.monotonic()
        has_threads = self._target.has_threads
        if HAS_STRACE and not self._target.has_steps:
            ended, moments = moments_of(command, self._whole, environment, has_threads=has_threads)
        else:
            ended = run(command, self._whole, environment)
            moments = [Moment("", 0, 0.0), Moment("", 0, time.monotonic() - start)]
        assert ended.code == 0, ended.err
        steps = self._whole / "board/state/steps"
        return moments, steps.read_text().splitlines() if self._target.has_steps else []

    def _begin(self) -> None:
        shutil.rmtree(self._trial, ignore_errors=True)
        shutil.copytree(self._before, self._trial, symlinks=True)

    def _environment(self, folder: Path) -> dict[str, str]:
        temporary = {"TMPDIR": str(self._scratch / "temporary")}
        return {**temporary, **self._target.environment(folder)}

    def _run(self, **variables: str) -> Ended:
        environment = self._environment(self._trial) | variables
        return run(self._target.command(self._trial), self._trial, environment)

    def _kill(self) -> Ended:
        if self._steps and self._rng.random() < 0.5:
            step = self._rng.randint(1, len(self._steps))
            return replace(self._run(KILL_AT=str(step)), all_at_once=True)
        command, environment = self._target.command(self._trial), self._environment(self._trial)
        if HAS_STRACE and not self._steps and self._rng.random() < 0.5:
            moment = choose(self._rng, self._moments)
            command = kill_at(command, moment, has_threads=self._target.has_threads)
            return run(command, self._trial, environment)
        seconds = self._rng.uniform(self._moments[0].seconds, self._moments[-1].seconds)
        is_alone = self._rng.random() < 0.5
        return kill_at_time(command, self._trial, environment, seconds, is_alone)

    def _run_with_failing_sync(self) -> Ended:
        if self._steps:
            numbers = [n for n, step in enumerate(self._steps, 1) if step.startswith("sync")]
            return self._run(FAIL_AT=str(self._rng.choice(numbers)))
        if not HAS_STRACE:
            raise FileNotFoundError("strace is not here")
        syncs = sum(moment.call in SYNCS.split(",") for moment in self._moments)
        if self._target.goes_on:  # and recovers while it still runs
            first = self._rng.randint(1, syncs // 2)
            when = f"{first}..{first + FAILING_SYNCS - 1}"
        else:
            when = f"{self._rng.randint(1, syncs)}+"
        command = fail_syncs(self._target.command(self._trial), when)
        return run(command, self._trial, self._environment(self._trial))

    def _check_failed(self, ended: Ended) -> None:
        """Check how a program ended whose disk failed."""
        assert "Traceback" not in ended.err, ended.err
        if self._target.goes_on:
            assert ended.code == 0, ended.err
            self._target.check_whole(self._trial, self._whole)
        elif ended.code == 0:
            self._target.check_whole(self._trial, self._whole)
        else:
            # The tools that a script calls tell themselves what is wrong with the disk.
            assert self._steps or "error: " in ended.err.splitlines()[-1], ended.err
            assert not list(self._trial.rglob(".new-*")), "something is left behind"
            self._check(ended)

    def _check(self, ended: Ended) -> None:
        self._target.check_cut(self._trial, self._before, self._whole, ended)

    def _go_on(self) -> None:
        """Run it once more, undisturbed."""
        ended = self._run()
        assert ended.code == 0, ended.err
        self._target.check_whole(self._trial, self._whole)
