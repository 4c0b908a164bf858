"""Kill everything that writes, anywhere, and let its disk fail; look at what is left.

    python -m tests.kills.run --kills 200 [TARGET...]

For every 20 kills the disk is full once, and once it does not sync. A trial that breaks stays in
`build/kills`; its seed repeats those before it, too.
"""

from __future__ import annotations

import argparse
import secrets
import shutil
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from .campaign import Campaign
from .targets import TARGETS

SCRATCH = Path(__file__).parents[2] / "build" / "kills"
KILLS_A_FAILURE = 20


def main() -> int:
    """Try one target after the other; return 1 if one of them broke."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--kills", type=int, default=20, help="of each target")
    parser.add_argument(
        "--in-a-row", type=int, default=1, help="of a training or conversion, before it may end"
    )
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    options = parser.parse_args()
    print(f"seed {options.seed}")
    print(f"{'target':12} {'kills':>6} {'full disk':>10} {'no sync':>8} {'seconds':>8}", flush=True)
    rows = [options.in_a_row] * (options.kills // options.in_a_row)
    results = [try_all(name, rows, options.seed) for name in options.targets or TARGETS]
    return int(not all(results))


def try_all(name: str, rows: Sequence[int], seed: int) -> bool:
    """Try one target, and print a line about it; return whether it survived.

    Args:
        name: Of the target.
        rows: How many runs are killed one after the other before one may end, for each row.
        seed: Decides where it is interrupted.
    """
    scratch, start = SCRATCH / name, time.monotonic()
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    try:
        campaign = Campaign(TARGETS[name], scratch, seed)
        for kills in rows:
            campaign.kill(kills)
        failures = -(-sum(rows) // KILLS_A_FAILURE)
        done = [sum(rows), repeat(campaign.fill_disk, failures)]
        done += [repeat(campaign.fail_sync, failures)]
    except Exception:  # damage may show as any error of who reads
        traceback.print_exc()
        print(f"{name:12} BROKEN after {time.monotonic() - start:.0f} s", flush=True)
        return False
    numbers = f"{done[0]:6} {done[1]:10} {done[2]:8} {time.monotonic() - start:8.0f}"
    print(f"{name:12} {numbers}  survived", flush=True)
    return True


def repeat(trial: Callable[[], None], times: int) -> int:
    """Make a trial so many times; return how many could be made here."""
    for done in range(times):
        try:
            trial()
        except (PermissionError, FileNotFoundError) as error:
            print(f"not done: {error}")
            return done
    return times


if __name__ == "__main__":
    sys.exit(main())
