"""`maskwatch stats`: what is told of the counts, in the terminal and in files."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given
from hypothesis import strategies as st

import maskwatch_edge.bench
from maskwatch_edge.cameras.sources import VideoSource
from maskwatch_edge.statistics import series
from maskwatch_edge.statistics.command import style_of
from maskwatch_edge.statistics.counting import Counts
from maskwatch_edge.statistics.series import STEPS, Bucket, read_series, today
from maskwatch_edge.statistics.store import Store
from maskwatch_edge.statistics.table import Style, Table, bar_parts, duration, summary
from maskwatch_edge.video import VideoWriter

Maskwatch = Callable[..., subprocess.CompletedProcess[str]]

MORNING = datetime(2026, 3, 2, 7, 30, tzinfo=UTC)
SEEN = Counts(seen_seconds=60.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "statistics.db"


def minute_of(moment: datetime) -> int:
    return int(moment.timestamp()) // 60


def write(path: Path, counts: dict[datetime, Counts]) -> None:
    with Store(path, 3650) as store:
        store.add({minute_of(moment): each for moment, each in counts.items()})


def zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except ZoneInfoNotFoundError:
        pytest.skip(f"needs the time zone {name} (Debian: apt install tzdata)")


# --- by minutes, hours and days ------------------------------------------------------------------

moments = st.datetimes(
    datetime(2026, 3, 1),
    datetime(2026, 3, 5),
    timezones=st.just(UTC),
)


@given(st.lists(moments, min_size=1, max_size=20), st.sampled_from(STEPS))
def test_every_count_is_in_the_bucket_that_its_moment_falls_into(
    given_moments: list[datetime], step: str
) -> None:
    counts = {minute_of(moment): Counts(mask=1) for moment in sorted(given_moments)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(series, "read_minutes", lambda path, begin, end: counts)
        end = max(given_moments)
        buckets = read_series(Path("any"), min(given_moments), end, step, UTC)
    starts = [bucket.start for bucket in buckets]
    assert sum(bucket.counts.mask for bucket in buckets) == len(counts)
    assert starts == sorted(starts)
    assert starts[0] <= min(given_moments)
    own = {bucket.start: bucket.counts for bucket in buckets}
    for minute in counts:
        moment = datetime.fromtimestamp(60 * minute, UTC)
        assert own[floor(moment, step)].mask >= 1


def floor(moment: datetime, step: str) -> datetime:
    size = {"minute": 16, "hour": 13, "day": 10}[step]
    return datetime.fromisoformat(
        moment.isoformat()[:size] + ("" if size != 13 else ":00")
    ).replace(tzinfo=UTC)


def test_hours_and_days_are_those_of_the_clock_on_the_wall(path: Path) -> None:
    kolkata = zone("Asia/Kolkata")  # five and a half hours ahead
    write(path, {datetime(2026, 3, 1, 18, 45, tzinfo=UTC): Counts(mask=1)})
    now = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
    (day,) = read_series(path, now, now, "day", kolkata)
    assert day.start.isoformat() == "2026-03-02T00:00:00+05:30"
    assert day.counts.mask == 1
    first, *_ = read_series(path, now - timedelta(hours=12), now, "hour", kolkata)
    assert first.start.isoformat() == "2026-03-02T00:00:00+05:30"
    assert today(path, now, kolkata).people == 1
    assert today(path, now, UTC).people == 0


def test_the_hour_that_comes_twice_in_autumn_is_two(path: Path) -> None:
    berlin = zone("Europe/Berlin")
    before, after = (datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1))
    write(path, {before: Counts(mask=1), after: Counts(no_mask=1)})
    buckets = read_series(path, before, after, "hour", berlin)
    assert [b.start.isoformat() for b in buckets] == [
        "2026-10-25T02:00:00+02:00",
        "2026-10-25T02:00:00+01:00",
    ]
    (day,) = read_series(path, before, after, "day", berlin)
    assert day.counts.people == 2


def test_counts_begin_where_there_are_some(path: Path) -> None:
    """However early a user asks: a bucket for each minute since 1970 would fill the memory."""
    write(path, {MORNING: SEEN})
    buckets = read_series(path, datetime(1970, 1, 2, tzinfo=UTC), MORNING, "minute", UTC)
    assert [bucket.start for bucket in buckets] == [MORNING]
    assert read_series(path, MORNING + timedelta(days=1), MORNING, "day", UTC) == []


# --- the table -----------------------------------------------------------------------------------

HOURS = [
    Bucket(MORNING.replace(hour=7, minute=0), Counts(8, 2, 1, 1, 0, 3600.0)),
    Bucket(MORNING.replace(hour=8, minute=0), SEEN),
    Bucket(MORNING.replace(hour=9, minute=0), SEEN),
    Bucket(MORNING.replace(hour=10, minute=0), Counts(away_seconds=120.0)),
    Bucket(MORNING.replace(hour=11, minute=0), Counts()),
    Bucket(MORNING.replace(hour=12, minute=0), Counts(mask=1, seen_seconds=30.0)),
]


def test_a_table_tells_nobody_from_not_watched() -> None:
    lines = list(Table(HOURS, "hour", Style(80, has_bars=False)).lines())
    assert lines == [
        "                  people   mask  no mask  unsure      watched  put on  taken off",
        "2026-03-02 07:00      11      8        2       1    1 h 0 min       1          0",
        "2026-03-02 08:00  nobody, 2 min",
        "2026-03-02 10:00  camera away, 2 min",
        "2026-03-02 11:00  not watched",
        "2026-03-02 12:00       1      1        0       0         30 s       0          0",
    ]


def test_a_wide_terminal_has_bars_and_says_what_they_mean() -> None:
    lines = list(Table(HOURS, "hour", Style(99)).lines())
    assert lines[1].endswith("  1  ████████████████████▒▒▒▒▒░░░")
    assert lines[5].endswith("  0  ███")
    assert lines[-1] == "█ mask  ▒ no mask  ░ unsure"


def test_colours_come_beside_the_blocks() -> None:
    lines = list(Table(HOURS, "hour", Style(99, has_colours=True)).lines())
    assert re.sub(r"\x1b\[\d+m", "", "\n".join(lines)) == "\n".join(
        Table(HOURS, "hour", Style(99)).lines()
    )
    assert "\x1b[34m" in lines[1]


@given(st.integers(1, 300), st.sampled_from(STEPS), st.booleans())
def test_no_line_is_longer_than_the_terminal(width: int, step: str, has_bars: bool) -> None:
    style = Style(width, has_bars)
    for line in Table(HOURS, step, style).lines():
        # Words and the time are said whole, however narrow it is.
        assert len(line) <= max(width, len("2026-03-02 10:00  camera away, 2 min"))


@given(*[st.integers(0, 50)] * 3, st.integers(0, 50), st.integers(10, 200))
def test_the_parts_of_a_bar_add_up(
    mask: int, bare: int, unsure: int, more: int, width: int
) -> None:
    counts = Counts(mask, bare, unsure)
    most = max(counts.people + more, 1)
    parts = bar_parts(counts, most, width)
    assert sum(parts) == round(width * counts.people / most)
    for part, people in zip(parts, (mask, bare, unsure), strict=True):
        assert abs(part - width * people / most) <= 1


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.2, "1 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (3599, "60 min"),
        (3700, "1 h 2 min"),
    ],
)
def test_lengths_of_time_are_said_shortly(seconds: float, text: str) -> None:
    assert duration(seconds).replace("1 h 0 min", "60 min") == text


def test_a_summary_says_it_in_one_line() -> None:
    assert summary(Counts(8, 2, 1, 1, 0, 3700.0, 120.0)) == (
        "11 people: 8 masked, 2 unmasked, 1 unsure; put on 1, taken off 0; "
        "watched for 1 h 2 min; camera away for 2 min"
    )
    assert summary(Counts(mask=1)).startswith("1 person: 1 masked")


class Out(io.StringIO):
    def __init__(self, encoding: str, is_terminal: bool) -> None:
        super().__init__()
        self._encoding, self._is_terminal = encoding, is_terminal

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding

    def isatty(self) -> bool:
        return self._is_terminal


STYLES = [
    (Out("utf-8", True), {}, False, (True, True, "█▒░")),
    (Out("utf-8", True), {"NO_COLOR": "1"}, False, (True, False, "█▒░")),
    (Out("utf-8", True), {"TERM": "dumb"}, False, (False, False, "█▒░")),
    (Out("utf-8", True), {}, True, (False, True, "█▒░")),
    (Out("utf-8", False), {}, False, (False, False, "█▒░")),
    (Out("ascii", True), {}, False, (True, True, "#=.")),
]


@pytest.mark.parametrize(("out", "environment", "is_plain", "expected"), STYLES)
def test_bars_and_colours_are_for_terminals_that_show_them(
    out: Out, environment: dict[str, str], is_plain: bool, expected: tuple[bool, bool, str]
) -> None:
    style = style_of(out, environment, is_plain=is_plain)
    assert (style.has_bars, style.has_colours, style.blocks) == expected


# --- the program ---------------------------------------------------------------------------------


def write_to_and_fro(source: Path, target: Path, times: int) -> None:
    """Write a clip forwards and backwards in turn: a file is read as fast as it can be."""
    with closing(VideoSource(str(source))) as clip:
        frames = [frame.pixels for frame in clip.frames()]
    with VideoWriter(target, 12.5) as writer:
        for turn in range(times):
            for pixels in frames if turn % 2 == 0 else reversed(frames):
                writer.write(pixels)


def test_what_the_program_told_is_what_it_counted(maskwatch: Maskwatch, path: Path) -> None:
    clip = path.with_name("clip.mp4")
    write_to_and_fro(Path(maskwatch_edge.bench.__file__).with_name("demo.mp4"), clip, times=8)
    place = ("--set", f"statistics.path={path}")
    settings = (*place, "--set", "statistics.enabled=true", "--lines", "events")
    done = maskwatch("run", "--source", clip, *settings)
    assert (done.returncode, done.stderr) == (0, "")
    first: dict[int, str] = {}
    for event in map(json.loads, done.stdout.splitlines()):
        if event["kind"] in ("appeared", "changed") and event["decision"] != "unsure":
            first.setdefault(event["track"], event["decision"])
    assert len(first) == 2

    def stats(*words: str) -> str:
        done = maskwatch("stats", "--days", "2", *place, *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    total = json.loads(stats("--json"))["total"]
    for decision in ("mask", "no_mask"):
        assert total[decision] == list(first.values()).count(decision)
    assert total["put_on"] + total["taken_off"] >= 1
    assert total["seen_seconds"] >= 1
    assert total["away_seconds"] == 0
    table = list(csv.DictReader(io.StringIO(stats("--csv", "-", "--by", "minute"))))
    assert sum(int(row["mask"]) + int(row["no_mask"]) for row in table) == 2
    text = stats()
    assert "\x1b" not in text
    assert text.splitlines()[-1].startswith("2 people: ")
    assert stats("--csv", "a.csv") == ""
    assert path.with_name("a.csv").read_text().startswith("start,mask,no_mask,unsure,")


def test_a_picture_is_drawn(maskwatch: Maskwatch, path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs the extra plot")
    write(path, {datetime.now(UTC): Counts(2, 1, seen_seconds=5.0)})
    words = ("--set", f"statistics.path={path}", "--png", "a.png")
    done = maskwatch("stats", *words)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "wrote a.png\n")
    assert path.with_name("a.png").read_bytes().startswith(b"\x89PNG")


def test_nothing_counted_is_told(maskwatch: Maskwatch, path: Path) -> None:
    settings = ("--set", f"statistics.path={path}")
    done = maskwatch("stats", *settings)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(
        f"maskwatch stats: error: there are no counts in {path} yet; set "
    )
    write(path, {MORNING: SEEN})
    done = maskwatch("stats", *settings)
    assert (done.returncode, done.stdout) == (0, "nothing was counted in this time\n")
    done = maskwatch("stats", *settings, "--png", "a.png")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert not path.with_name("a.png").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--since", "yesterday"), "expected a day or moment such as"),
        (("--days", "0"), "expected a whole number from 1"),
        (("--days", "2", "--since", "2026-01-01"), "not allowed with"),
    ],
)
def test_a_wrong_time_is_told(maskwatch: Maskwatch, words: tuple[str, ...], told: str) -> None:
    done = maskwatch("stats", *words)
    assert (done.returncode, told in done.stderr) == (2, True), done.stderr
