"""The lamps, on fake lines that remember when they were high and low."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maskwatch_edge.cameras.state import CameraState
from maskwatch_edge.config import IndicatorConfig, LampConfig
from maskwatch_edge.errors import OutputError
from maskwatch_edge.lamps.gpio import FakeBoard, FakeLine, Line
from maskwatch_edge.lamps.indicator import STALE_SECONDS, Indicator, switch_off, tick_seconds
from maskwatch_edge.lamps.lamps import REFRESH_SECONDS, Role, claims
from maskwatch_edge.verdict import Decision
from maskwatch_edge.view import View

from .lamp_views import (
    ALERT,
    ALL,
    CLEAR,
    LOST,
    MASK,
    NO_MASK,
    SEEING,
    UNSURE,
    WAITING,
    Clock,
    seen,
)


class Stage:
    """An indicator without a thread, its fake board and its clock."""

    def __init__(self, config: IndicatorConfig = ALL) -> None:
        self.clock = Clock()
        self.board = FakeBoard(clock=self.clock)
        self.indicator = Indicator(config, self.board, clock=self.clock, has_thread=False)
        self._config = config

    def at(self, seconds: float, view: View | None = None) -> set[str]:
        """Let it become so late, show the view if there is one, return the roles that are lit."""
        self.clock.seconds = 100.0 + seconds
        if view is None:
            self.indicator.tick()
        else:
            self.indicator.show(view)
        return self.lit

    @property
    def lit(self) -> set[str]:
        return {lamp.role for lamp in self._config.lamps if self.line(lamp.role).is_on}

    def line(self, role: str) -> FakeLine:
        return self.board[next(lamp.line for lamp in self._config.lamps if lamp.role == role)]

    def edges(self, role: str) -> list[tuple[float, bool]]:
        return [(seconds - 100.0, level) for seconds, level in self.line(role).history[1:]]


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    yield stage
    stage.indicator.close()


@pytest.mark.parametrize(
    ("decisions", "expected"),
    [
        ([], {Role.ALIVE}),  # nobody is there: nothing to claim
        ([MASK], {Role.ALIVE, Role.CLEAR}),
        ([MASK, MASK], {Role.ALIVE, Role.CLEAR}),
        ([NO_MASK], {Role.ALIVE, Role.ALERT}),
        ([MASK, NO_MASK, MASK], {Role.ALIVE, Role.ALERT}),  # one is enough
        ([UNSURE], {Role.ALIVE}),  # neither is claimed of whom it is unsure
        ([MASK, UNSURE], {Role.ALIVE}),
        ([NO_MASK, UNSURE], {Role.ALIVE, Role.ALERT}),
    ],
)
def test_the_lamps_claim_what_is_known(decisions: list[Decision], expected: set[Role]) -> None:
    assert claims(seen(*decisions)) == expected


@pytest.mark.parametrize("camera", [state for state in CameraState if state is not SEEING])
def test_a_camera_that_does_not_see_claims_nothing(camera: CameraState) -> None:
    assert claims(seen(NO_MASK, camera=camera)) == set()
    assert claims(seen(MASK, camera=camera)) == set()


# (seconds, view or None for a tick, roles lit after it). Minimum times: alert 2 s, clear 1 s.
Story: TypeAlias = list[tuple[float, View | None, set[str]]]


@pytest.mark.parametrize(
    "story",
    [
        pytest.param([(0, None, set())], id="off until the first view"),
        pytest.param(
            [
                (0, seen(NO_MASK), {"alive", "alert"}),
                (0.5, seen(), {"alive", "alert"}),  # gone, and still to be read by a passer-by
                (1.9, None, {"alive", "alert"}),
                (2.0, None, {"alive"}),  # without a further view
            ],
            id="an alert stays on for its minimum time",
        ),
        pytest.param(
            [
                (0, seen(NO_MASK), {"alive", "alert"}),
                (4, seen(NO_MASK), {"alive", "alert"}),
                (4.1, seen(), {"alive"}),  # the minimum counts from the beginning
            ],
            id="an alert ends at once after its minimum time",
        ),
        pytest.param(
            [
                (0, seen(NO_MASK), {"alive", "alert"}),
                (1, seen(), {"alive", "alert"}),
                (1.5, seen(NO_MASK), {"alive", "alert"}),
                (2.5, seen(NO_MASK), {"alive", "alert"}),
                (2.6, seen(), {"alive"}),
            ],
            id="a second person within the minimum time is the same alert",
        ),
        pytest.param(
            [
                (0, seen(MASK), {"alive", "clear"}),
                (0.1, seen(MASK, NO_MASK), {"alive", "alert"}),  # before its minimum time
            ],
            id="clear yields to an alert at once",
        ),
        pytest.param(
            [
                (0, seen(NO_MASK), {"alive", "alert"}),
                (1, seen(MASK), {"alive", "alert"}),
                (2, seen(MASK), {"alive", "clear"}),
            ],
            id="clear waits until the alert is over",
        ),
        pytest.param(
            [
                (0, seen(MASK), {"alive", "clear"}),
                (0.5, seen(UNSURE), {"alive", "clear"}),
                (1.0, seen(UNSURE), {"alive"}),
            ],
            id="clear has a minimum time, too",
        ),
        pytest.param(
            [
                (0, seen(NO_MASK), {"alive", "alert"}),
                (0.1, seen(NO_MASK, camera=LOST), set()),
                (0.2, None, set()),
                (0.3, seen(camera=WAITING), set()),
                (0.4, seen(NO_MASK), {"alive", "alert"}),
            ],
            id="a lost camera ends every minimum time",
        ),
        pytest.param(
            [
                (0, seen(NO_MASK), {"alive", "alert"}),
                (STALE_SECONDS, None, {"alive", "alert"}),
                (STALE_SECONDS + 0.1, None, set()),
                (60, None, set()),
                (61, seen(NO_MASK), {"alive", "alert"}),
            ],
            id="a loop that hangs lights no lamp",
        ),
    ],
)
def test_the_lamps_follow_the_story(stage: Stage, story: Story) -> None:
    assert [(seconds, stage.at(seconds, view)) for seconds, view, _ in story] == [
        (seconds, lit) for seconds, _, lit in story
    ]


def test_a_lamp_that_goes_off_does_so_before_another_goes_on() -> None:
    order: list[tuple[str, bool]] = []

    class Teller:
        def __init__(self, name: str) -> None:
            self.name, self.is_on = name, False

        def set(self, is_on: bool) -> None:
            self.is_on = is_on
            order.append((self.name, is_on))

        def close(self) -> None:
            pass

    def open_line(line: str, *, chip: str | None = None, active_low: bool = False) -> Line:
        return Teller(line)

    with Indicator(IndicatorConfig(lamps=(ALERT, CLEAR)), open_line, has_thread=False) as lamps:
        lamps.show(seen(MASK))
        order.clear()
        lamps.show(seen(NO_MASK))
    assert order == [("GPIO27", False), ("GPIO17", True)]


def test_several_lamps_may_have_one_role() -> None:
    lamps = (ALERT, LampConfig(line="GPIO5", role="alert", min_on_seconds=0.0))
    stage = Stage(IndicatorConfig(lamps=lamps))
    stage.at(0, seen(NO_MASK))
    assert stage.board["GPIO17"].is_on
    assert stage.board["GPIO5"].is_on
    stage.at(1, seen())
    assert stage.board["GPIO17"].is_on
    assert not stage.board["GPIO5"].is_on


def test_the_configured_chip_is_used() -> None:
    with pytest.raises(OutputError, match=r'no GPIO chip "gpiochip7"'):
        Stage(IndicatorConfig(chip="gpiochip7", lamps=(ALERT,)))


# Blinking


def blinking(hz: float, min_on_seconds: float = 0.0) -> IndicatorConfig:
    lamp = LampConfig(line="GPIO17", role="alert", blink_hz=hz, min_on_seconds=min_on_seconds)
    return IndicatorConfig(lamps=(lamp,))


def test_a_blinking_lamp_begins_lit_and_takes_turns() -> None:
    stage = Stage(blinking(2.0))
    for quarter in range(9):
        stage.at(quarter / 4, seen(NO_MASK))
    assert stage.edges("alert") == [
        (0.0, True), (0.25, False), (0.5, True), (0.75, False), (1.0, True),
        (1.25, False), (1.5, True), (1.75, False), (2.0, True),
    ]  # fmt: skip


def test_a_blinking_lamp_blinks_on_for_its_minimum_time() -> None:
    stage = Stage(blinking(1.0, min_on_seconds=2.0))
    stage.at(0, seen(NO_MASK))
    for tenth in range(1, 31):
        stage.at(tenth / 10, seen())
    assert [level for _, level in stage.edges("alert")] == [True, False, True, False]


@settings(deadline=None)
@given(st.floats(0.1, 5.0), st.floats(0.0, 1.0))
def test_a_blinking_lamp_is_lit_half_of_the_time(hz: float, phase: float) -> None:
    config = blinking(hz)
    stage, tick, whole = Stage(config), tick_seconds(config), 10 / hz
    for number in range(int(whole / tick) + 1):
        # Ticks come late by up to a whole one, as under load.
        stage.at(number * tick + phase * tick, seen(NO_MASK))
    edges = [*stage.edges("alert"), (whole, False)]
    lit = sum(until - since for (since, is_lit), (until, _) in pairwise(edges) if is_lit)
    assert lit / whole == pytest.approx(0.5, abs=0.06)
    assert 19 <= len(edges) <= 22


@pytest.mark.parametrize(
    ("hz", "expected"),
    [
        (0.0, 0.1),  # a steady lamp: only minimum times and the safe state have to be met
        (0.2, 0.1),
        (1.0, 0.05),
        (4.0, 0.0125),
        (10.0, 0.005),
    ],
)
def test_ticks_are_as_frequent_as_the_fastest_lamp_wants(hz: float, expected: float) -> None:
    lamps = (*blinking(hz).lamps, CLEAR)
    assert tick_seconds(IndicatorConfig(lamps=lamps)) == pytest.approx(expected)


# Ends


def test_closing_switches_all_lamps_off_and_frees_their_lines(stage: Stage) -> None:
    stage.at(0, seen(NO_MASK))
    stage.indicator.close()
    stage.indicator.close()
    for role in Role:
        assert stage.line(role).level is False
        assert not stage.line(role).is_open


def test_an_indicator_that_is_closed_shows_nothing_more(stage: Stage) -> None:
    stage.indicator.close()
    with pytest.raises(OutputError, match="is closed"):
        stage.at(1, seen(NO_MASK))


def test_a_program_that_fails_leaves_its_lamps_off() -> None:
    stage = Stage()

    def fail() -> None:
        with stage.indicator:
            stage.at(0, seen(NO_MASK))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert stage.line("alert").level is False


def test_a_lamp_that_cannot_be_had_lets_go_of_the_others() -> None:
    board = FakeBoard()
    with pytest.raises(OutputError, match=r'no GPIO line "LAMP"'):
        Indicator(IndicatorConfig(lamps=(ALERT, LampConfig(line="LAMP"))), board)
    assert not board["GPIO17"].is_open
    with pytest.raises(OutputError, match=r"line 17 of .* in use by maskwatch; .*two lamps"):
        Indicator(IndicatorConfig(lamps=(ALERT, LampConfig(line="17"))), board)
    assert not board["GPIO17"].is_open


def test_a_lamp_that_was_pulled_out_is_told_and_the_others_go_on(stage: Stage) -> None:
    stage.line("alert").is_plugged = False
    with pytest.raises(OutputError, match="cannot reach the GPIO line GPIO17"):
        stage.at(0, seen(NO_MASK))
    assert stage.line("alive").is_on
    with pytest.raises(OutputError, match="cannot reach"):
        stage.at(0.1, seen(NO_MASK))  # as long as it is so
    stage.line("alert").is_plugged = True
    assert stage.at(0.2, seen(NO_MASK)) == {"alert", "alive"}


def test_a_lamp_that_was_pulled_out_is_noticed_without_a_change(stage: Stage) -> None:
    stage.at(0, seen(MASK))
    stage.line("clear").is_plugged = False
    with pytest.raises(OutputError, match="cannot reach the GPIO line GPIO27"):
        stage.at(REFRESH_SECONDS, seen(MASK))
    stage.line("clear").is_plugged = True


def test_a_lamp_that_cannot_be_switched_off_at_the_end_is_told_and_the_others_are() -> None:
    stage = Stage()
    stage.at(0, seen(NO_MASK))
    stage.line("alive").is_plugged = False
    with pytest.raises(OutputError, match="cannot reach the GPIO line GPIO22"):
        stage.indicator.close()
    assert stage.line("alert").level is False
    assert not any(stage.line(role).is_open for role in Role)
    stage.indicator.close()


def test_the_lamps_of_a_killed_process_can_be_switched_off() -> None:
    config = IndicatorConfig(lamps=(ALERT, LampConfig(line="GPIO5", active_low=True)))
    stage = Stage(config)
    stage.at(0, seen(NO_MASK))
    stage.board["GPIO17"].is_open = stage.board["GPIO5"].is_open = False  # the kernel let go
    assert stage.board["GPIO17"].level is True
    switch_off(config, stage.board)
    assert stage.board["GPIO17"].level is False
    assert stage.board["GPIO5"].level is True
    assert not stage.board["GPIO17"].is_open


def test_one_lamp_that_cannot_be_had_does_not_keep_the_others_lit() -> None:
    board = FakeBoard()
    config = IndicatorConfig(lamps=(LampConfig(line="LAMP"), ALERT, CLEAR))
    with pytest.raises(OutputError, match=r'no GPIO line "LAMP"'):
        switch_off(config, board)
    assert board["GPIO17"].level is board["GPIO27"].level is False
    assert not board["GPIO17"].is_open


# Whatever happens

STEPS = st.lists(
    st.tuples(
        st.floats(0.0, 3.0),  # seconds since the step before
        st.none()  # no view, a tick of the thread
        | st.builds(
            lambda decisions, camera: seen(*decisions, camera=camera),
            st.lists(st.sampled_from(Decision), max_size=3),
            st.sampled_from([SEEING, SEEING, SEEING, WAITING, LOST]),
        ),
    ),
    max_size=30,
)


@settings(deadline=None)
@given(STEPS)
def test_the_lamps_never_lie(steps: list[tuple[float, View | None]]) -> None:
    stage, now, claimed, shown_at = Stage(), 0.0, claims(seen(camera=LOST)), 0.0
    for seconds, view in steps:
        now += seconds
        lit = stage.at(now, view)
        if view is not None:
            claimed, shown_at = claims(view), now
        is_stale = now - shown_at > STALE_SECONDS
        if Role.ALIVE not in claimed or is_stale:
            assert lit == set()
            continue
        assert Role.ALIVE in lit
        assert not {Role.ALERT, Role.CLEAR} <= lit
        if Role.ALERT in claimed:
            assert Role.ALERT in lit
        for role in lit - claimed:  # lit for its minimum time only
            assert now - stage.edges(role)[-1][0] < 2.0
    stage.indicator.close()
    assert not any(stage.line(role).level for role in Role)


@settings(deadline=None)
@given(STEPS)
def test_a_lamp_that_went_on_stays_so_for_its_minimum_time_unless_the_camera_is_lost(
    steps: list[tuple[float, View | None]],
) -> None:
    stage, now, ends = Stage(), 0.0, set()
    for seconds, view in steps:
        now += seconds
        if not stage.at(now, view):
            ends.add(stage.clock.seconds - 100.0)  # the safe state
    edges = stage.edges("alert")
    for (on, _), (off, _) in zip(edges[::2], edges[1::2], strict=False):
        assert off - on >= ALERT.min_on_seconds - 1e-9 or off in ends


@settings(deadline=None)
@given(STEPS)
def test_active_low_turns_the_levels_and_nothing_else(
    steps: list[tuple[float, View | None]],
) -> None:
    high, low = (
        Stage(
            IndicatorConfig(
                lamps=tuple(
                    LampConfig(line=line, role=role, blink_hz=hz, active_low=active_low)
                    for line, role, hz in [("GPIO17", "alert", 1.0), ("GPIO22", "alive", 0.0)]
                )
            )
        )
        for active_low in (False, True)
    )
    now = 0.0
    for seconds, view in steps:
        now += seconds
        assert high.at(now, view) == low.at(now, view)
    for stage in (high, low):
        stage.indicator.close()
    for role in ("alert", "alive"):
        turned = [(seconds, not level) for seconds, level in low.line(role).history]
        assert high.line(role).history == turned
        assert low.line(role).level is True
