"""What training asks of the C library: to keep the memory that each step needs again."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

# Two blocks of 64 MiB, freed in turn as the layers of a network free theirs.
FAULTS = """
import resource
import numpy as np
from maskwatch_train.start_up import keep_memory

if {is_kept}:
    keep_memory()
faults = []
for _ in range(6):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    first, second = (np.ones(1 << 26, np.uint8) for _ in range(2))
    del first, second
    faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
print(max(faults[1:]))
"""


def page_faults(is_kept: bool, variables: dict[str, str]) -> int:
    """Return the most page faults of a round after the first one."""
    run = subprocess.run(
        [sys.executable, "-c", FAULTS.format(is_kept=is_kept)],
        capture_output=True,
        text=True,
        check=True,
        env=variables,
    )
    return int(run.stdout)


@pytest.fixture
def variables() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    return {**kept, "NUMPY_MADVISE_HUGEPAGE": "0"}  # else a fault brings 512 pages


def test_freed_memory_is_used_again(variables: dict[str, str]) -> None:
    if page_faults(False, variables) < 1000:
        pytest.skip("this C library keeps freed memory by itself")
    assert page_faults(True, variables) < 100


def test_what_the_user_has_set_wins(variables: dict[str, str]) -> None:
    if page_faults(False, variables) < 1000:
        pytest.skip("this C library keeps freed memory by itself")
    assert page_faults(True, {**variables, "MALLOC_ARENA_MAX": "2"}) >= 1000
