"""Messages that wait for the broker: in order, bounded, and whatever befalls the disk."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwatch_edge.faults import Fault, Notice
from maskwatch_edge.mqtt import backlog as backlog_module
from maskwatch_edge.mqtt.backlog import RETRY_SECONDS, Backlog, Entry

Open = Callable[..., Backlog]


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def warnings() -> list[Notice]:
    return []


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "mqtt.sqlite"


@pytest.fixture
def opened(path: Path, warnings: list[Notice], clock: Clock) -> Iterator[Open]:
    """Give a function that opens the backlog, with all of its messages at one moment."""
    made: list[Backlog] = []

    def open_it(limit: int = 1000, name: str = "door-0badcafe", milliseconds: int = 5) -> Backlog:
        made.append(Backlog(path, name, limit, warnings.append, clock, lambda: milliseconds))
        return made[-1]

    yield open_it
    for backlog in made:
        backlog.close()


def event(text: str) -> Entry:
    return Entry(True, {"text": text})


def statistic(text: str) -> Entry:
    return Entry(False, {"text": text})


def texts(backlog: Backlog) -> list[str]:
    return [json.loads(waiting.payload)["text"] for waiting in backlog.after(0, 1000)]


def test_messages_come_out_as_they_went_in_and_stay_until_they_are_removed(opened: Open) -> None:
    backlog = opened()
    backlog.add([event("a"), statistic("b")])
    backlog.add([event("c")])
    first, second, third = backlog.after(0, 10)
    assert (first.is_event, second.is_event, third.is_event) == (True, False, True)
    assert texts(backlog) == ["a", "b", "c"]
    assert [waiting.number for waiting in backlog.after(first.number, 1)] == [second.number]
    backlog.remove([first.number, third.number])
    backlog.remove([first.number])  # a second time does no harm
    assert (texts(backlog), len(backlog)) == (["b"], 1)


def test_what_was_not_removed_is_there_after_a_restart_and_numbers_go_on(opened: Open) -> None:
    before = opened()
    before.add([event("a"), event("b")])
    before.remove([before.after(0, 1)[0].number])
    before.close()
    after = opened()
    after.add([event("c")])
    assert (texts(after), len(after)) == (["b", "c"], 2)
    waiting = after.after(0, 10)
    assert [one.number for one in waiting] == [6, 7]
    assert json.loads(waiting[1].payload) == {
        "id": "door-0badcafe-7",
        "sequence": 7,
        "text": "c",
    }


def test_numbers_never_come_again_although_everything_was_removed(opened: Open) -> None:
    before = opened()
    before.add([event("a"), event("b")])
    before.remove([one.number for one in before.after(0, 10)])
    before.close()
    after = opened()
    after.add([event("c")])
    assert [one.number for one in after.after(0, 10)] == [7]


def test_numbers_follow_the_time_of_day_and_not_a_clock_that_was_turned_back(opened: Open) -> None:
    late = opened(milliseconds=1000)
    late.add([event("a")])
    late.close()
    early = opened(milliseconds=10)
    early.add([event("b")])
    assert [one.number for one in early.after(0, 10)] == [1000, 1001]


def test_the_oldest_statistics_go_first_and_events_last(
    opened: Open, warnings: list[Notice]
) -> None:
    backlog = opened(limit=4)
    backlog.add([event("e1"), statistic("s1"), event("e2"), statistic("s2")])
    backlog.add([event("e3")])
    assert texts(backlog) == ["e1", "e2", "s2", "e3"]
    backlog.add([event("e4")])
    assert (texts(backlog), warnings) == (["e1", "e2", "e3", "e4"], [])
    backlog.add([statistic("s3")])  # has no place among so many events
    assert (texts(backlog), warnings) == (["e1", "e2", "e3", "e4"], [])
    backlog.add([event("e5"), event("e6")])
    backlog.add([event("e7")])
    assert (texts(backlog), len(backlog)) == (["e4", "e5", "e6", "e7"], 4)
    (notice,) = warnings  # once, not for each
    assert "4 messages wait, and the oldest events are dropped" in notice.message


def test_that_events_are_dropped_is_told_anew_once_all_had_gone_out(
    opened: Open, warnings: list[Notice]
) -> None:
    backlog = opened(limit=1)
    backlog.add([event("a"), event("b")])
    backlog.remove([one.number for one in backlog.after(0, 10)])
    backlog.add([event("c"), event("d")])
    assert len(warnings) == 2


@given(
    st.lists(st.lists(st.booleans(), min_size=1, max_size=7), max_size=12),
    st.integers(min_value=1, max_value=9),
)
def test_a_full_backlog_keeps_all_events_that_have_room(
    batches: list[list[bool]], limit: int
) -> None:
    # In memory, which is quick: it is the same database.
    with Backlog(Path("/dev/null/none"), "door", limit, lambda line: None) as backlog:
        kinds: list[bool] = []
        for batch in batches:
            first = len(kinds)
            backlog.add([Entry(kind, {"text": str(first + i)}) for i, kind in enumerate(batch)])
            kinds += batch
        left = backlog.after(0, 100)
        assert len(left) == len(backlog) == min(limit, len(kinds))
        assert [one.number for one in left] == sorted({one.number for one in left})
        assert sum(one.is_event for one in left) == min(limit, sum(kinds))
        newest = [str(index) for index, kind in enumerate(kinds) if kind][-limit:]
        events = [json.loads(one.payload)["text"] for one in left if one.is_event]
        assert events == newest


# --- the disk


BROKEN = [b"not a database at all" * 500, b"SQLite format 3\0" + b"\xff" * 5000]


@pytest.mark.parametrize("content", BROKEN)
def test_a_file_that_is_no_queue_is_set_aside_and_a_new_one_begun(
    opened: Open, path: Path, warnings: list[Notice], content: bytes
) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    backlog = opened()
    backlog.add([event("a")])
    backlog.close()
    (notice,) = warnings
    assert str(path) in notice.message
    assert "that file is now mqtt-broken.sqlite, and a new one is begun" in notice.message
    assert path.with_name("mqtt-broken.sqlite").read_bytes() == content
    assert texts(opened()) == ["a"]


def test_a_database_of_somebody_else_is_set_aside(
    opened: Open, path: Path, warnings: list[Notice]
) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE messages (body TEXT)")
    other.close()
    backlog = opened()
    backlog.add([event("a")])
    assert texts(backlog) == ["a"]
    assert "mqtt-broken.sqlite" in " ".join(map(str, warnings))


def test_a_file_that_breaks_while_it_is_used_costs_what_cannot_be_read(
    opened: Open, path: Path, warnings: list[Notice]
) -> None:
    before = opened()
    before.add([event("x" * 3000) for _ in range(20)])
    before.close()
    content = bytearray(path.read_bytes())
    page = 4096
    content[8 * page : 12 * page] = b"\xff" * (4 * page)
    path.write_bytes(content)
    backlog = opened()
    for _ in range(20):  # reading comes upon the broken pages in the end
        backlog.remove([one.number for one in backlog.after(0, 1)])
    backlog.add([event("new")])
    assert texts(backlog)[-1] == "new"
    assert len(backlog) == len(texts(backlog))
    assert "mqtt-broken.sqlite" in " ".join(map(str, warnings))


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[int | None], None]:
    """Give a function that lets files have no more than so many pages; None for any number."""
    real = backlog_module._open

    def allow(pages: int | None) -> None:
        def open_small(where: Path) -> sqlite3.Connection:
            database = real(where)
            if pages is not None:  # SQLite gives the same error as for a disk that is full
                database.execute(f"PRAGMA max_page_count = {pages}")
            return database

        monkeypatch.setattr(backlog_module, "_open", open_small)

    return allow


def test_on_a_full_disk_it_goes_on_in_memory_and_returns_when_there_is_room(
    opened: Open, path: Path, warnings: list[Notice], clock: Clock, full_disk: Callable[..., None]
) -> None:
    full_disk(8)
    backlog = opened()
    backlog.add([event("a")])
    backlog.add([event("b" * 50_000)])
    assert texts(backlog) == ["a", "b" * 50_000]
    (notice,) = warnings
    assert "database or disk is full; they are kept in memory" in notice.message
    backlog.remove([backlog.after(0, 1)[0].number])
    full_disk(None)
    backlog.add([event("c")])
    assert len(warnings) == 1  # not tried at every message
    clock.now += RETRY_SECONDS
    backlog.add([event("d")])
    assert warnings[1:] == [Fault.QUEUE_IN_MEMORY.ended(f"MQTT messages are kept in {path} again")]
    backlog.close()
    after = opened()
    assert texts(after) == ["b" * 50_000, "c", "d"]  # "a" had gone out meanwhile
    assert len(after) == 3


def test_messages_whose_commit_failed_and_are_in_the_file_all_the_same_do_not_bar_the_way_back(
    opened: Open, path: Path, warnings: list[Notice], clock: Clock, full_disk: Callable[..., None]
) -> None:
    """Found by `make kills`: a sync that fails, of a write that does not."""
    full_disk(8)
    backlog = opened()
    backlog.add([event("a")])
    backlog.add([event("b" * 50_000), event("c")])
    with closing(sqlite3.connect(path)) as file, file:
        file.executemany(
            "INSERT INTO messages VALUES (?, 1, ?)",
            [(one.number, one.payload) for one in backlog.after(0, 3)[1:]],
        )
    backlog.remove([one.number for one in backlog.after(0, 2)])
    full_disk(None)
    clock.now += RETRY_SECONDS
    backlog.add([event("d")])
    told = f"MQTT messages are kept in {path} again"
    assert warnings[1:] == [Fault.QUEUE_IN_MEMORY.ended(told)]
    backlog.close()
    assert texts(opened()) == ["c", "d"]  # "a" and "b" had gone out meanwhile


def test_what_is_in_memory_only_is_saved_at_the_end_or_told_as_lost(
    opened: Open, path: Path, warnings: list[Notice], full_disk: Callable[..., None]
) -> None:
    full_disk(8)
    backlog = opened()
    backlog.add([event("a" * 50_000)])
    full_disk(None)
    backlog.close()
    assert len(warnings) == 1
    again = opened()
    assert len(texts(again)) == 1
    again.close()
    path.unlink()
    full_disk(8)
    lost = opened()
    lost.add([event("a" * 50_000)])
    lost.close()
    told = "1 MQTT messages were kept in memory only, and are lost"
    assert warnings[-1] == Fault.QUEUE_LOST.once(told)


def test_without_a_folder_to_write_to_it_works_in_memory(
    opened: Open, path: Path, warnings: list[Notice], clock: Clock
) -> None:
    path.parent.write_text("a file where the folder should be")
    backlog = opened()
    backlog.add([event("a")])
    assert texts(backlog) == ["a"]
    (notice,) = warnings
    assert notice.message.startswith(f"cannot keep MQTT messages in {path}: ")
    path.parent.unlink()
    clock.now += RETRY_SECONDS
    backlog.add([event("b")])
    backlog.close()
    assert texts(opened()) == ["a", "b"]


HOLD = """
import sys
from pathlib import Path
from maskwatch_edge.mqtt.backlog import Backlog, Entry
backlog = Backlog(Path(sys.argv[1]), "other", 1000, print)
backlog.add([Entry(True, {"text": "of the other"})])
print("held", flush=True)
sys.stdin.read()
"""


def test_two_programs_do_not_send_the_same_messages(
    opened: Open, path: Path, warnings: list[Notice], clock: Clock
) -> None:
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        backlog = opened()
        backlog.add([event("ours")])
        assert texts(backlog) == ["ours"]
        assert "locked; they are kept in memory" in warnings[0].message
        other.kill()
        other.communicate()
    clock.now += RETRY_SECONDS
    backlog.add([event("more")])
    assert sorted(texts(backlog)) == ["more", "of the other", "ours"]  # nothing is lost
