"""Fuzz the readers for as long as is granted, guided by the code that is reached.

    python -m tests.fuzz.run --seconds 600 [TARGET...]

Contents that broke a reader are kept in `build/fuzz`; each becomes a test with a name.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .target import ROOT
from .targets import TARGETS

FINDINGS = ROOT / "build" / "fuzz"
RUNS = re.compile(r"stat::number_of_executed_units: (\d+)")
MEMORY_MB = 1024
HANG_SECONDS = 20


def main() -> int:
    """Fuzz the targets, as many at a time as there are cores; return 1 if one of them broke."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    options = parser.parse_args()
    total, is_broken = 0, False
    names = options.targets or list(TARGETS)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda name: fuzz_apart(name, options.seconds), names)
        for name, (runs, code) in zip(names, results, strict=True):
            total, is_broken = total + runs, is_broken or code != 0
            print(f"{name:12} {runs:10,} inputs  {'BROKEN' if code else 'survived'}", flush=True)
    print(f"{'all':12} {total:10,} inputs")
    return int(is_broken)


def fuzz_apart(name: str, seconds: int) -> tuple[int, int]:
    """Fuzz a target in a process of its own; return how many inputs it took, and its exit code."""
    found = FINDINGS / name
    found.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(TARGETS[name].seeds()):
            (Path(corpus) / str(number)).write_bytes(seed)
        command = [
            *(sys.executable, "-m", "tests.fuzz.guided", name, corpus),
            *(f"-max_total_time={seconds}", "-print_final_stats=1", f"-rss_limit_mb={MEMORY_MB}"),
            *(f"-timeout={HANG_SECONDS}", f"-artifact_prefix={found}/"),
        ]
        done = subprocess.run(
            command, cwd=ROOT, stderr=subprocess.PIPE, text=True, errors="replace"
        )
    if done.returncode:
        print(done.stderr[-3000:], file=sys.stderr)
    counted = RUNS.findall(done.stderr)
    return int(counted[-1]) if counted else 0, done.returncode


if __name__ == "__main__":
    sys.exit(main())
