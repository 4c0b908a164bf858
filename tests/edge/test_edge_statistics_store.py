"""The file of the counts: what is in it, and what becomes of it when things go wrong."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maskwatch_edge.errors import InputError, OutputError
from maskwatch_edge.statistics.counting import Counts
from maskwatch_edge.statistics.store import (
    MINUTES_PER_DAY,
    VERSION,
    Store,
    default_file,
    read_minutes,
)

ALL = (0, 1 << 40)
NOON = 29_500_000  # some minute of 2026
ONE = Counts(mask=1, seen_seconds=60.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "statistics.db"


def add(path: Path, *batches: Mapping[int, Counts], keep_days: int = 90) -> None:
    with Store(path, keep_days) as store:
        for batch in batches:
            store.add(batch)


def test_what_is_added_can_be_read(path: Path) -> None:
    counts = Counts(1, 2, 3, 4, 5, 6.5, 7.25)
    add(path, {NOON: counts, NOON + 1: ONE}, {NOON + 1: ONE})
    assert read_minutes(path, *ALL) == {
        NOON: counts,
        NOON + 1: Counts(mask=2, seen_seconds=60.0),  # a minute has no more
    }
    assert list(read_minutes(path, NOON, NOON + 1)) == [NOON]


def test_there_is_nothing_in_the_file_but_numbers(path: Path) -> None:
    add(path, {NOON: ONE})
    with closing(sqlite3.connect(path)) as connection:
        ((content,),) = connection.execute("SELECT sql FROM sqlite_master").fetchall()
        (row,) = connection.execute("SELECT * FROM minutes").fetchall()
    assert content.startswith("CREATE TABLE minutes")
    assert {type(value) for value in row} == {int, float}


minutes = st.integers(NOON, NOON + 5)
batches = st.lists(st.dictionaries(minutes, st.builds(Counts, mask=st.integers(0, 9))), max_size=3)


@settings(max_examples=20)  # each waits for the disk
@given(batches)
def test_no_one_is_lost_or_counted_twice(
    tmp_path_factory: pytest.TempPathFactory, given_batches: list[dict[int, Counts]]
) -> None:
    path = tmp_path_factory.mktemp("counts") / "statistics.db"
    add(path, *given_batches)
    people = sum(counts.mask for batch in given_batches for counts in batch.values())
    assert sum(counts.people for counts in read_minutes(path, *ALL).values()) == people


def test_counts_are_read_while_they_are_written(path: Path) -> None:
    with Store(path, 90) as store:
        store.add({NOON: ONE})
        assert read_minutes(path, *ALL) == {NOON: ONE}
        store.add({NOON + 1: ONE})
        assert len(read_minutes(path, *ALL)) == 2


def test_only_the_newest_days_are_kept(path: Path) -> None:
    days = [NOON + day * MINUTES_PER_DAY for day in range(5)]
    add(path, *({minute: ONE} for minute in days), keep_days=3)
    assert list(read_minutes(path, *ALL)) == days[2:]


def test_a_clock_that_was_years_ahead_costs_a_day_at_most(path: Path) -> None:
    days = [NOON + day * MINUTES_PER_DAY for day in range(3)]
    future = NOON + 5_000 * MINUTES_PER_DAY
    add(path, dict.fromkeys(days, ONE), {future: ONE}, {days[2] + 1: ONE}, keep_days=3)
    assert list(read_minutes(path, *ALL)) == [days[1], days[2], days[2] + 1, future]


def test_the_file_cannot_grow_beyond_its_days(path: Path) -> None:
    day = {NOON + minute: ONE for minute in range(MINUTES_PER_DAY)}
    sizes = []
    with Store(path, 2) as store:
        for number in range(6):
            store.add({minute + number * MINUTES_PER_DAY: counts for minute, counts in day.items()})
            with closing(sqlite3.connect(path)) as connection:
                sizes.append(connection.execute("PRAGMA page_count").fetchone()[0])
    assert sizes[3] == sizes[5]


DAMAGE: list[Callable[[bytes], bytes]] = [
    lambda content: b"\0" * len(content),  # as ext4 leaves a file after a power cut
    lambda content: b"no database at all, but long enough to be looked at" * 20,
    lambda content: content[:100] + b"\xff" * (len(content) - 100),
]


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_set_aside_and_a_new_one_begun(
    path: Path, damage: Callable[[bytes], bytes]
) -> None:
    add(path, {NOON: ONE})
    broken = damage(path.read_bytes())
    path.write_bytes(broken)
    with pytest.raises(OutputError, match=r"is damaged .*; it is kept as .*\.damaged, and a new"):
        add(path, {NOON + 1: ONE})
    assert path.with_name("statistics.db.damaged").read_bytes() == broken
    add(path, {NOON + 1: ONE})
    assert read_minutes(path, *ALL) == {NOON + 1: ONE}


def test_a_full_disk_is_told_and_what_was_there_stays(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(path, {NOON: ONE})
    connect = sqlite3.connect

    def connect_to_a_full_disk(*words: object, **named: object) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*words, **named)  # type: ignore[call-overload]
        connection.execute("PRAGMA max_page_count = 2")
        return connection

    monkeypatch.setattr(sqlite3, "connect", connect_to_a_full_disk)
    with pytest.raises(OutputError, match=r"cannot write .*: database or disk is full"):
        add(path, {NOON + minute: ONE for minute in range(1_000)})
    monkeypatch.undo()
    assert read_minutes(path, *ALL) == {NOON: ONE}
    assert not path.with_name("statistics.db.damaged").exists()


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot make the folder"):
        Store(Path("/proc/nowhere/statistics.db"), 90)
    with pytest.raises(OutputError, match=r"cannot write .*: unable to open"):
        Store(tmp_path, 90)


def test_a_file_that_was_removed_is_noticed(path: Path) -> None:
    with Store(path, 90) as store:
        path.unlink()
        with pytest.raises(OutputError, match="was removed"):
            store.add({NOON: ONE})


def sql(path: Path, statement: str) -> None:
    path.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("CREATE TABLE photos (name)", "is not a file of counts"),
        (f"PRAGMA user_version = {VERSION + 1}", "is of a newer Maskwatch"),
    ],
)
def test_a_file_that_is_not_known_is_left_alone(path: Path, statement: str, told: str) -> None:
    if "user_version" in statement:
        add(path, {NOON: ONE})
    sql(path, statement)
    before = path.read_bytes()
    with pytest.raises(OutputError, match=told):
        Store(path, 90)
    with pytest.raises(InputError, match=told):
        read_minutes(path, *ALL)
    assert path.read_bytes() == before


def test_a_file_that_is_not_there_or_not_readable_is_told(path: Path) -> None:
    with pytest.raises(InputError, match=r"there are no counts in .*statistics\.enabled = true"):
        read_minutes(path, *ALL)
    path.parent.mkdir()
    path.write_bytes(b"x" * 5000)
    with pytest.raises(InputError, match=r"cannot read .*not a database"):
        read_minutes(path, *ALL)


READ_AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, as sudo maskwatch stats")


@READ_AS_ROOT
def test_root_who_reads_takes_nothing_from_the_service(path: Path) -> None:
    """The files that SQLite makes beside it must stay the service's, or it could not go on."""
    add(path, {NOON: ONE})
    for each in (path.parent, path):
        os.chown(each, 12_345, 12_345)
    read_minutes(path, *ALL)
    assert {each.stat().st_uid for each in path.parent.iterdir()} == {12_345}


KILLED = """
import os, signal, sys
from pathlib import Path
from maskwatch_edge.statistics.store import Store
from maskwatch_edge.statistics.counting import Counts
store = Store(Path(sys.argv[1]), 90)
store.add({1: Counts(mask=1)})
store._connection.execute("BEGIN IMMEDIATE")
store._connection.execute("DELETE FROM minutes")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_that_is_killed_in_the_middle_of_a_write_loses_nothing_before_it(
    path: Path,
) -> None:
    result = subprocess.run([sys.executable, "-c", KILLED, path])
    assert result.returncode == -9
    assert read_minutes(path, *ALL) == {1: Counts(mask=1)}
    add(path, {2: ONE})
    assert len(read_minutes(path, *ALL)) == 2


def test_the_file_is_in_the_state_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STATE_DIRECTORY", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_file() == Path("/var/lib/maskwatch/statistics.db")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("HOME", "/home/me")
    assert default_file() == Path("/home/me/.local/state/maskwatch/statistics.db")
    monkeypatch.setenv("XDG_STATE_HOME", "/home/me/state")
    assert default_file() == Path("/home/me/state/maskwatch/statistics.db")
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/maskwatch:/var/lib/other")
    assert default_file() == Path("/var/lib/maskwatch/statistics.db")


def test_counts_whose_writer_was_killed_while_it_began_them_are_none(tmp_path: Path) -> None:
    """Found by `make kills`: who only reads cannot roll back what was begun."""
    begun, left = tmp_path / "begun.db", tmp_path / "statistics.db"
    with closing(sqlite3.connect(begun)) as connection:
        connection.execute("CREATE TABLE first (number)")
        connection.execute("PRAGMA synchronous = OFF")  # the journal is valid at once
        connection.execute("BEGIN")
        connection.execute("CREATE TABLE second (number)")
        for suffix in ("", "-journal"):
            shutil.copy(f"{begun}{suffix}", f"{left}{suffix}")
    with (
        closing(sqlite3.connect(f"file:{left}?mode=ro", uri=True)) as reader,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        reader.execute("SELECT * FROM sqlite_master")
    assert read_minutes(left, 0, 1) == {}
