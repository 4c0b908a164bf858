"""Who is the same as a moment ago: lists of sightings in, events out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.cameras.sources import open_source
from maskwatch_edge.config import Config, DecisionConfig
from maskwatch_edge.contract import WITH_MASK, WITHOUT_MASK
from maskwatch_edge.demo import FRAMES_PER_SECOND, write_clip
from maskwatch_edge.errors import InputError
from maskwatch_edge.events import Event, EventKind
from maskwatch_edge.run_command import build_watcher
from maskwatch_edge.tracks import MAX_TRACKS, Tracker
from maskwatch_edge.verdict import Decision, Sighting, Verdict, decide

MASK, NO_MASK, UNSURE = Decision.MASK, Decision.NO_MASK, Decision.UNSURE
APPEARED, CHANGED, LEFT = EventKind.APPEARED, EventKind.CHANGED, EventKind.LEFT
CONFIG = DecisionConfig()
SIZE = 100
Look = tuple[float, list[Sighting]]
Told = tuple[float, EventKind, int | None, Decision | None]


def face(mask: float, x: int = 0, y: int = 0, size: int = SIZE) -> Sighting:
    """Give a face with its upper left corner there; `mask` is the probability that it has one."""
    label = WITH_MASK if mask >= 0.5 else WITHOUT_MASK
    verdict = Verdict(label, max(mask, 1 - mask))
    return Sighting(FaceBox(x, y, x + size, y + size), verdict, decide(verdict, CONFIG.min_score))


def run(looks: Iterable[Look], tracker: Tracker | None = None) -> list[Event]:
    tracker = tracker or Tracker(CONFIG)
    return [event for now, sightings in looks for event in tracker.update(sightings, now)]


def story(looks: Iterable[Look]) -> list[Told]:
    events = run(looks)
    return [(event.time_seconds, event.kind, event.track, event.decision) for event in events]


def at_rate(per_second: float, shown: Sequence[Sighting | None]) -> list[Look]:
    """Show one face or none in each frame."""
    return [(number / per_second, [each] if each else []) for number, each in enumerate(shown)]


MASKED, BARE, DOUBTFUL = face(0.99), face(0.01), face(0.6)
NOBODY = None


@pytest.mark.parametrize(
    ("per_second", "shown", "expected"),
    [
        # announced when seen in two looks in a row
        (8, [BARE, BARE], [(0.125, APPEARED, 1, NO_MASK)]),
        (8, [MASKED] * 30, [(0.125, APPEARED, 1, MASK)]),
        (2, [BARE, BARE], [(0.5, APPEARED, 1, NO_MASK)]),
        (0.5, [BARE, BARE], [(2.0, APPEARED, 1, NO_MASK)]),
        # a face of a single frame is a false alarm
        (8, [NOBODY, MASKED, *[NOBODY] * 20], []),
        (8, [BARE, NOBODY, NOBODY, NOBODY, BARE, *[NOBODY] * 20], []),
        (8, [BARE, NOBODY] * 10, []),
        (8, [DOUBTFUL, DOUBTFUL, NOBODY, NOBODY] * 10, []),
        # after a look that misses the face it is still the same
        (8, [BARE, NOBODY, BARE, BARE], [(0.375, APPEARED, 1, NO_MASK)]),
        # who is doubtful is told of when it lasts
        (4, [DOUBTFUL] * 12, [(1.0, APPEARED, 1, UNSURE)]),
        (8, [DOUBTFUL] * 8, []),
        (8, [DOUBTFUL, DOUBTFUL, *[MASKED] * 3], [(0.5, APPEARED, 1, MASK)]),
        # someone leaves: not before a second, and not before two frames lack the face
        (4, [BARE] * 4 + [NOBODY] * 3, [(0.25, APPEARED, 1, NO_MASK)]),
        (4, [BARE] * 4 + [NOBODY] * 4,
         [(0.25, APPEARED, 1, NO_MASK), (1.75, LEFT, 1, NO_MASK)]),
        (0.5, [BARE, BARE, NOBODY], [(2.0, APPEARED, 1, NO_MASK)]),
        (0.5, [BARE, BARE, NOBODY, BARE], [(2.0, APPEARED, 1, NO_MASK)]),
        (0.5, [BARE, BARE, NOBODY, NOBODY],
         [(2.0, APPEARED, 1, NO_MASK), (6.0, LEFT, 1, NO_MASK)]),
        # missed for less than that is no news
        (4, [BARE, BARE, NOBODY, NOBODY, NOBODY, BARE] * 5, [(0.25, APPEARED, 1, NO_MASK)]),
        # someone else comes later
        (2, [BARE, BARE, NOBODY, NOBODY, MASKED, MASKED],
         [(0.5, APPEARED, 1, NO_MASK), (1.5, LEFT, 1, NO_MASK), (2.5, APPEARED, 2, MASK)]),
        # a mask goes on: four fifths of the window and the hold time
        (8, [BARE] * 8 + [MASKED] * 24,
         [(0.125, APPEARED, 1, NO_MASK), (2.75, CHANGED, 1, MASK)]),
        # with few frames a second three votes must agree, and last
        (1, [BARE] * 3 + [MASKED] * 5, [(1.0, APPEARED, 1, NO_MASK), (6.0, CHANGED, 1, MASK)]),
        # half a second of nonsense is nothing
        (8, ([MASKED] * 12 + [BARE] * 4) * 4, [(0.125, APPEARED, 1, MASK)]),
        (2, ([MASKED] * 5 + [BARE]) * 4, [(0.5, APPEARED, 1, MASK)]),
        # nor is a half-way score that stays
        (8, [MASKED] * 5 + [face(0.7)] * 50, [(0.125, APPEARED, 1, MASK)]),
        (8, [MASKED] * 8 + [DOUBTFUL] * 24,
         [(0.125, APPEARED, 1, MASK), (2.75, CHANGED, 1, UNSURE)]),
    ],
)  # fmt: skip
def test_one_person_is_told_of(
    per_second: float, shown: list[Sighting | None], expected: list[Told]
) -> None:
    assert story(at_rate(per_second, shown)) == expected


def test_a_change_says_what_was_told_before_and_leaving_how_long_it_was() -> None:
    shown = [*[BARE] * 8, *[MASKED] * 24, *[NOBODY] * 9]
    _, changed, left = run(at_rate(8, shown))
    assert changed == Event(CHANGED, 2.75, 1, MASK, before=NO_MASK)
    assert left == Event(LEFT, 4.875, 1, MASK, seconds=3.875)


def test_two_people_keep_their_numbers_in_whatever_order_they_are_found() -> None:
    left, right = face(0.99, x=0), face(0.01, x=300)
    tracker = Tracker(CONFIG)
    events = run([(0.0, [left, right]), (0.1, [right, left])], tracker)
    assert [(event.track, event.decision) for event in events] == [(1, MASK), (2, NO_MASK)]
    assert run([(0.2, [right]), (0.3, [left]), (0.4, [right, left])], tracker) == []
    assert [track.box.x1 for track in tracker.tracks] == [0, 300]


def test_numbers_and_events_go_by_who_was_announced_first() -> None:
    shown = [[face(0.6), face(0.01, x=300)]] * 9 + [[face(0.99), face(0.99, x=300)]] * 16
    tracker = Tracker(DecisionConfig(min_score=0.9, window_seconds=0.0))
    events = run([(number / 8, each) for number, each in enumerate(shown)], tracker)
    assert story_of(events + tracker.lose_all(4.0)) == [
        (APPEARED, 1, NO_MASK),
        (APPEARED, 2, UNSURE),
        (CHANGED, 1, MASK),
        (CHANGED, 2, MASK),
        (LEFT, 1, MASK),
        (LEFT, 2, MASK),
    ]
    assert len({event.time_seconds for event in events}) == 3  # both changed in one frame


@pytest.mark.parametrize(
    ("per_second", "step", "people"),
    [
        (10, 40, 1),  # overlapping
        (10, 90, 0),  # nobody is so fast: these are false alarms here and there
        (4, 110, 1),  # someone walks past a slow finder
        (2, 140, 1),
        (2, 160, 0),
    ],
)
def test_someone_who_moves_is_followed(per_second: float, step: int, people: int) -> None:
    walk = [face(0.01, x=number * step) for number in range(6)]
    tracker = Tracker(CONFIG)
    assert len(run(at_rate(per_second, walk), tracker)) == people
    assert len(tracker.tracks) == people


def test_a_walker_past_a_waiting_person_does_not_take_over_the_number() -> None:
    looks = [(n / 3, [face(0.01, x=n * 90), face(0.99, x=300, y=120)]) for n in range(8)]
    tracker = Tracker(CONFIG)
    assert [event.kind for event in run(looks, tracker)] == [APPEARED, APPEARED]
    assert [(t.decision, t.box.x1) for t in tracker.tracks] == [(NO_MASK, 630), (MASK, 300)]


@pytest.mark.parametrize(("growth", "numbers"), [(1.5, 1), (1.7, 2)])
def test_the_size_of_a_face_changes_by_little(growth: float, numbers: int) -> None:
    size = round(SIZE * growth)
    grown = face(0.01, x=(SIZE - size) // 2, y=(SIZE - size) // 2, size=size)
    tracker = Tracker(CONFIG)
    run(at_rate(5, [BARE, BARE, grown, grown]), tracker)
    assert tracker.tracks[-1].id == numbers


def test_a_track_shows_the_newest_sighting_and_the_vote() -> None:
    tracker = Tracker(CONFIG)
    run([(5.0, [BARE])], tracker)
    assert [track.id for track in tracker.tracks] == []
    odd = face(0.9, x=3)
    run([(5.1, [BARE]), (5.2, [BARE]), (5.3, [odd]), (5.4, [])], tracker)
    (track,) = tracker.tracks
    assert (track.id, track.decision, track.sighting, track.box) == (1, NO_MASK, odd, odd.box)
    assert (track.first_seconds, track.last_seconds) == (5.0, 5.3)


def test_a_lost_camera_ends_all_tracks() -> None:
    tracker = Tracker(CONFIG)
    looks = [(0.0, [MASKED, face(0.01, x=300)]), (0.5, [MASKED, face(0.01, x=300)])]
    run([*looks, (0.6, [face(0.01, x=600)])], tracker)  # the third is not announced yet
    assert tracker.lose_all(3.0) == [
        Event(LEFT, 3.0, 1, MASK, seconds=0.5),
        Event(LEFT, 3.0, 2, NO_MASK, seconds=0.5),
    ]
    assert tracker.tracks == ()
    assert tracker.lose_all(4.0) == []
    # Whoever stands there afterwards is a new person, whom one frame does not announce.
    assert story_of(run([(5.0, [MASKED])], tracker)) == []
    assert story_of(run([(5.1, [MASKED])], tracker)) == [(APPEARED, 3, MASK)]


def story_of(events: list[Event]) -> list[tuple[EventKind, int | None, Decision | None]]:
    return [(event.kind, event.track, event.decision) for event in events]


@pytest.mark.parametrize(
    ("per_second", "pause_seconds", "is_stall"),
    [(10, 0.9, False), (10, 1.1, True), (1, 3.5, False), (1, 4.5, True)],
)
def test_after_a_stall_everyone_is_new(
    per_second: float, pause_seconds: float, is_stall: bool
) -> None:
    tracker = Tracker(CONFIG)
    run(at_rate(per_second, [MASKED] * 10), tracker)
    begin = 9 / per_second + pause_seconds
    events = run([(begin, [BARE]), (begin + 0.1, [BARE])], tracker)
    new = [(LEFT, 1, MASK), (APPEARED, 2, NO_MASK)]
    assert story_of(events) == (new if is_stall else [])


@pytest.mark.parametrize(
    "before",
    [
        [BARE] * 15,
        [*[BARE] * 5, *[MASKED] * 10],  # the mask was about to be told
    ],
)
def test_old_votes_do_not_count_for_someone_who_comes_back(before: list[Sighting]) -> None:
    tracker = Tracker(DecisionConfig(forget_seconds=30.0))
    assert story_of(run(at_rate(10, before), tracker)) == [(APPEARED, 1, NO_MASK)]
    run([(2.0 + number / 10, []) for number in range(180)], tracker)
    assert run([(20.0, [MASKED]), (20.1, [MASKED]), (20.9, [MASKED])], tracker) == []
    assert story_of(run([(21.1, [MASKED])], tracker)) == [(CHANGED, 1, MASK)]


def test_a_clock_that_goes_back_is_another_recording() -> None:
    tracker = Tracker(CONFIG)
    run(at_rate(10, [MASKED] * 10), tracker)
    events = run([(0.0, [MASKED]), (0.1, [MASKED])], tracker)
    assert events[0] == Event(LEFT, 0.9, 1, MASK, seconds=0.9)
    assert story_of(events[1:]) == [(APPEARED, 2, MASK)]
    assert tracker.lose_all(-5.0) == [Event(LEFT, 0.1, 2, MASK, seconds=0.1)]


@pytest.mark.parametrize("now", [float("nan"), float("inf")])
def test_a_time_that_is_none_is_refused_and_changes_nothing(now: float) -> None:
    tracker = Tracker(CONFIG)
    run(at_rate(10, [MASKED] * 2), tracker)
    with pytest.raises(InputError, match="must be a finite number"):
        tracker.update([MASKED], now)
    with pytest.raises(InputError, match="must be a finite number"):
        tracker.lose_all(now)
    assert run([(0.2, [MASKED])], tracker) == []
    assert len(tracker.tracks) == 1


def test_a_crowd_is_bounded() -> None:
    crowd = [face(0.01, x=200 * (number % 20), y=200 * (number // 20)) for number in range(200)]
    tracker = Tracker(CONFIG)
    run([(0.0, crowd[:40]), (0.1, crowd), (0.2, crowd)], tracker)
    run([(0.3, crowd[::-1]), (0.4, crowd[::-1])], tracker)
    assert [track.id for track in tracker.tracks] == list(range(1, MAX_TRACKS + 1))
    assert {track.last_seconds for track in tracker.tracks} == {0.2}  # later they are too far down
    assert len(tracker.lose_all(1.0)) == MAX_TRACKS


places = st.sampled_from([(x, y) for x in (0, 45, 120, 300) for y in (0, 130)])
sightings = st.builds(
    lambda mask, place, size: face(mask, place[0], place[1], size),
    st.sampled_from([0.0, 0.3, 0.5, 0.7, 0.79, 0.81, 1.0]) | st.floats(0, 1),
    places,
    st.sampled_from([60, 100, 150]),
)
steps = st.sampled_from([0.0, 0.04, 0.2, 0.4, 1.0, 1.7, 6.0])
clips = st.lists(st.tuples(steps, st.lists(sightings, max_size=4)), max_size=30)
configs = st.builds(
    DecisionConfig,
    window_seconds=st.sampled_from([0.2, 1.0, 3.0]),
    hold_seconds=st.sampled_from([0.0, 0.5, 1.0]),
    forget_seconds=st.sampled_from([0.5, 1.0, 4.0]),
)


@given(clips, configs)
def test_the_events_tell_a_consistent_story(
    clip: list[tuple[float, list[Sighting]]], config: DecisionConfig
) -> None:
    tracker, now = Tracker(config), 0.0
    said: dict[int, tuple[Decision, float]] = {}
    numbers, gone = [], []
    for step, shown in [*clip, (1.0, None)]:
        now += step
        for event in tracker.lose_all(now) if shown is None else tracker.update(shown, now):
            assert event.time_seconds == now
            assert event.track is not None
            assert event.decision is not None
            if event.kind is APPEARED:
                numbers.append(event.track)
            elif event.kind is CHANGED:
                before, since = said[event.track]
                assert event.before is before
                assert event.decision is not before
                assert now - since >= config.hold_seconds
            else:
                gone.append(event.track)
                assert said.pop(event.track)[0] is event.decision
                continue
            said[event.track] = event.decision, now
        # Whoever sees only the tracks sees what the events told.
        assert {t.id: t.decision for t in tracker.tracks} == {n: d for n, (d, _) in said.items()}
    assert numbers == list(range(1, len(numbers) + 1))
    assert sorted(gone) == numbers


@given(clips)
def test_no_two_tracks_claim_one_sighting(clip: list[tuple[float, list[Sighting]]]) -> None:
    tracker, now = Tracker(CONFIG), 0.0
    for step, shown in clip:
        now += step
        # Equal sightings are told apart by identity, each being an object of its own.
        own = [Sighting(each.box, each.verdict, each.decision) for each in shown]
        tracker.update(own, now)
        taken = [id(track.sighting) for track in tracker.tracks if track.last_seconds == now]
        assert len(set(taken)) == len(taken)


@given(
    st.lists(st.floats(0.66, 0.79), min_size=30, max_size=60),
    st.sampled_from([0.5, 2.0, 5.0, 25.0]),
    st.sampled_from([[], [face(0.99)] * 30]),
)
def test_noise_between_the_thresholds_does_not_flicker(
    noise: list[float], per_second: float, before: list[Sighting]
) -> None:
    shown = [*before, *(face(mask) for mask in noise)]
    (only,) = run(at_rate(per_second, shown))
    assert (only.kind, only.decision) == (APPEARED, MASK if before else UNSURE)


def doubtful(sighting: Sighting) -> Sighting:
    """Give the same face as a finder sees it that is not sure of it."""
    return replace(sighting, box=replace(sighting.box, score=0.45))


def test_a_face_that_is_never_sure_is_nobody() -> None:
    assert run(at_rate(4.0, [face(1.0), *[doubtful(face(1.0))] * 20])) == []


def test_a_doubtful_face_keeps_somebody_in_view_who_is_followed() -> None:
    shown = [*[face(1.0)] * 4, *[doubtful(face(1.0))] * 40]
    assert [event.kind for event in run(at_rate(4.0, shown))] == [APPEARED]


Seen = list[tuple[float, list[Sighting]]]


def left_edge(sighting: Sighting) -> int:
    return sighting.box.x1


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """Give what finder and model see in each third frame of the demonstration clip."""
    for name in ("skimage", "matplotlib"):
        pytest.importorskip(name, reason="the portraits come with the extra demo")
    path = tmp_path_factory.mktemp("demo") / "clip.mp4"
    write_clip(path)
    watcher = build_watcher(Config())
    with open_source(str(path)) as source:
        return [
            (frame.time_seconds, sorted(watcher.look(frame).sightings, key=left_edge))
            for frame in source.frames()
            if frame.number % 3 == 0
        ]


# Collins comes first, on the left; she wears a mask from 3 s to 9 s, Hopper from 6 s to 11 s.
# The clip ends a second later: too early to be sure that it is off.
COLLINS, HOPPER = 1, 2
STORY = [
    (0.0, APPEARED, COLLINS, NO_MASK),
    (0.0, APPEARED, HOPPER, NO_MASK),
    (3.0, CHANGED, COLLINS, MASK),
    (6.0, CHANGED, HOPPER, MASK),
    (9.0, CHANGED, COLLINS, NO_MASK),
    (12.0, LEFT, COLLINS, NO_MASK),
    (12.0, LEFT, HOPPER, MASK),
]


@pytest.mark.parametrize("every", [1, 2])
def test_the_demonstration_clip_is_told_without_flicker(seen: Seen, every: int) -> None:
    """As by boards of four and of two frames a second; false alarms are among what is seen."""
    tracker = Tracker(CONFIG)
    events = run(seen[::every], tracker)
    assert [track.box.x1 < 320 for track in tracker.tracks] == [True, False]
    events += tracker.lose_all(12.0)
    assert story_of(events) == [told[1:] for told in STORY]
    look_seconds = every * 3 / FRAMES_PER_SECOND
    latest = CONFIG.window_seconds + CONFIG.hold_seconds + 2 * look_seconds
    for event, (begin, *_) in zip(events, STORY, strict=True):
        assert begin <= event.time_seconds <= begin + latest
