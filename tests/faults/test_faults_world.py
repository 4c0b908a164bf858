"""The service under faults, on a clock that is moved: nothing too old is ever said."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from maskwatch_edge.verdict import Decision

from .kinds import KINDS, Kind
from .month import QUIET_SECONDS, RECOVERY_SECONDS, Month, check_statistics
from .world import DECISION, NotSurvivedError, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


def test_every_kind_of_fault_is_survived_and_the_statistics_add_up(world: World) -> None:
    month = Month(world, Random(0))
    month.pass_days(1e-9, QUIET_SECONDS)
    world.close()
    assert {record.survived for record in month.records.values()} == {1}
    assert check_statistics(world).people > 0


faults = st.lists(
    st.tuples(st.sampled_from(KINDS), st.sampled_from([0.5, 3.0, 20.0]), st.booleans()),
    min_size=1,
    max_size=8,
)


@given(faults, st.randoms(use_true_random=False))
@settings(max_examples=15, phases=(Phase.explicit, Phase.reuse, Phase.generate))
def test_whatever_breaks_at_the_same_time_nothing_too_old_is_said_and_all_is_well_again(
    faults: list[tuple[Kind, float, bool]], random: Random
) -> None:
    with tempfile.TemporaryDirectory() as folder, World(Path(folder)) as world:
        world.show_somebody(Decision.NO_MASK)
        world.live(5.0)
        lasting = dict[str, Iterator[None]]()
        for kind, seconds, is_mended in faults:
            if kind.name not in lasting:
                lasting[kind.name] = kind.breaking(world, random)
                next(lasting[kind.name])
            world.live(seconds)
            if is_mended:
                next(lasting.pop(kind.name), None)
        for breaking in lasting.values():
            next(breaking, None)
        world.recover(2 * RECOVERY_SECONDS)  # one after the other, perhaps


def test_a_verdict_that_outlives_its_time_is_noticed_here(world: World) -> None:
    world.show_somebody(Decision.NO_MASK)
    world.live(5.0)
    assert world.is_well
    world.finder.looked_seconds -= DECISION.stale_seconds
    with pytest.raises(NotSurvivedError, match="after the last look"):
        world.pass_time(1.0)
