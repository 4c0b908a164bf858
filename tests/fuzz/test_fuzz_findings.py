"""What fuzzing found, and what it can hardly find: each by its name."""

from __future__ import annotations

import io
import os
import sqlite3
import subprocess
import sys
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from maskwatch_edge.boxes import FaceBox
from maskwatch_edge.cameras.sources import VideoSource
from maskwatch_edge.config import Thresholds
from maskwatch_edge.contract import read_model
from maskwatch_edge.dataset import read_frames
from maskwatch_edge.deploy.remote import BoardError
from maskwatch_edge.errors import InputError, ModelError, SourceError
from maskwatch_edge.frame import Frame, Pixels
from maskwatch_edge.limits import MAX_FACES
from maskwatch_edge.pipeline import find
from maskwatch_edge.statistics.store import read_minutes

from .files import NOISE
from .seeds import bomb_avi, bomb_png
from .target import DATA
from .targets import TARGETS


def try_seed(name: str, folder: Path, right: bytes, wrong: bytes) -> None:
    """Let a target try its first seed with a change."""
    content = TARGETS[name].seeds()[0]
    assert right in content
    path = folder / f"seed{TARGETS[name].suffix}"
    path.write_bytes(content.replace(right, wrong, 1))
    TARGETS[name].read(path)


def test_counts_whose_damage_sqlite_cannot_put_into_words_are_refused(tmp_path: Path) -> None:
    """Found by `make fuzz`: its message holds bytes of the file, and Python cannot decode them."""
    content = (DATA / "damaged-statistics.db").read_bytes()
    TARGETS["statistics"].try_content(content, tmp_path)
    path = tmp_path / "statistics.db"
    path.write_bytes(content)
    with pytest.raises(InputError, match="cannot read"):
        read_minutes(path, 0, 1)


def test_a_private_key_of_a_kind_that_is_longer_is_refused(tmp_path: Path) -> None:
    """Found by `make fuzz`: OpenSSL says no more than that there is an internal error."""
    pem = TARGETS["private key"].seeds()[0]
    longer = pem.replace(b"MC4CAQAwBQYDK2Vw", b"MC4CAQAwBQYDK2Vv")  # X448 in place of Ed25519
    assert longer != pem
    path = tmp_path / "key.pem"
    path.write_bytes(longer)
    with pytest.raises(InputError, match="is not a private key"):
        TARGETS["private key"].read(path)


@pytest.mark.parametrize(
    ("name", "bomb"), [("bomb.png", bomb_png(30_000)), ("bomb.avi", bomb_avi(9_000))]
)
def test_a_decompression_bomb_is_refused_before_it_is_unpacked(
    tmp_path: Path, name: str, bomb: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(bomb)
    command = [sys.executable, "-m", "maskwatch_edge", "detect", str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert "has more than 64 million pixels; make it smaller" in done.stderr


def test_a_pipe_that_nobody_writes_to_is_no_video(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "clip.mp4")
    with pytest.raises(SourceError, match="expected a video file, and it is no regular file"):
        VideoSource(str(tmp_path / "clip.mp4"))


def test_a_model_without_end_is_refused() -> None:
    with pytest.raises(ModelError, match="it has more than 256 MiB"):
        read_model(Path("/dev/zero"))


@pytest.mark.parametrize("huge", ["lol", " " * (1 << 20)])
def test_an_annotation_that_grows_is_refused(tmp_path: Path, huge: str) -> None:
    """Entities of entities are what expat itself refuses; see its billion laughs protection."""
    entities = [f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(9)]
    document = f'<!DOCTYPE a [<!ENTITY e0 "{huge}">{"".join(entities)}]><a>&e9;</a>'
    for name, content in (("images/a.png", ""), ("annotations/a.xml", document)):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=r"amplification|it has more than 1 MiB"):
        read_frames(tmp_path)


def test_of_a_frame_full_of_faces_the_surest_are_judged() -> None:
    class Sure:
        def find(self, pixels: Pixels) -> list[FaceBox]:
            return [FaceBox(0, 0, 9, 9, 1 - n / 10_000) for n in range(5_000)]

    found = find(Sure(), Frame(NOISE, 0, 0.0, "a"), Thresholds())
    assert len(found) == MAX_FACES
    assert found[-1].score == 1 - (MAX_FACES - 1) / 10_000


def test_a_wheel_whose_scripts_are_broken_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a wheel"):
        try_seed("wheel", tmp_path, b"exit 0", b"exit 1")


def test_a_wheel_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    size = (1 << 31).to_bytes(4, "little")
    content = TARGETS["wheel"].seeds()[1]
    at = content.index(b"PK\x01\x02") + 24
    (tmp_path / "a.whl").write_bytes(content[:at] + size + content[at + 4 :])
    with pytest.raises(InputError, match="is not a wheel") as caught:
        TARGETS["wheel"].read(tmp_path / "a.whl")
    assert "fill the memory" in str(caught.value.__cause__)


def test_a_run_whose_json_is_nested_too_deeply_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read \S+data.json"):
        try_seed("run", tmp_path, b"{", b"[" * 100_000)


def test_messages_that_the_disk_garbled_are_left_out(tmp_path: Path) -> None:
    """Found by `make fuzz`: what no table of ours can hold cannot be saved from a broken file."""
    TARGETS["backlog"].try_content((DATA / "damaged-backlog.db").read_bytes(), tmp_path)


@pytest.mark.parametrize("payload", ["NULL", "7", "x'00'", "CAST(x'ff' AS TEXT)"])
def test_a_message_that_the_disk_garbled_is_not_sent(tmp_path: Path, payload: str) -> None:
    """Found by `make fuzz`."""
    path = tmp_path / "mqtt.sqlite"
    path.write_bytes(
        TARGETS["backlog"].seeds()[0].replace(b"payload TEXT NOT NULL", b"payload" + b" " * 14)
    )
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute(f"UPDATE messages SET payload = {payload}")
    TARGETS["backlog"].read(path)


@pytest.mark.parametrize("last", ["'x'", "NULL", "9223372036854775807"])
def test_a_last_number_that_the_disk_garbled_is_not_gone_on_from(tmp_path: Path, last: str) -> None:
    path = tmp_path / "mqtt.sqlite"
    path.write_bytes(TARGETS["backlog"].seeds()[0])
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute(f"UPDATE sqlite_sequence SET seq = {last}")
    TARGETS["backlog"].read(path)


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        (b"libc=glibc 2.36", b"libc=glibc 2.999999999", "no version"),  # a list of a billion
        (b"machine=aarch64\n", b"", "machine"),
        (b"free_mib=900", b"free_mib=much", "invalid literal"),
        (b"  a.whl", b"", "not enough values"),
    ],
)
def test_a_board_whose_answer_makes_no_sense_is_told(
    tmp_path: Path, right: bytes, wrong: bytes, told: str
) -> None:
    with pytest.raises(BoardError, match=f"its answer makes no sense.*{told}"):
        try_seed("board", tmp_path, right, wrong)


@pytest.mark.parametrize("release", [b"[1]", b'"x"', b'{"with": 1}', b"[" * 100_000])
def test_a_release_that_is_not_described_as_we_do_counts_as_none(
    tmp_path: Path, release: bytes
) -> None:
    try_seed("board", tmp_path, b'{"release": "0001", "version": "0.1.0", "with": "mqtt"}', release)


def with_member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> bytes:
    """Return an archive for a board with one more member."""
    content = io.BytesIO(TARGETS["archive"].seeds()[0])
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    with tarfile.open(fileobj=content, mode="a") as archive:
        archive.addfile(member)
    return content.getvalue()


def test_nothing_of_an_archive_leaves_its_folder(tmp_path: Path) -> None:
    for name in ("../../../outside", "a/../../../../outside", str(tmp_path / "outside")):
        TARGETS["archive"].try_content(with_member(name), tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        (tarfile.SYMTYPE, "/etc"),
        (tarfile.LNKTYPE, "/etc/passwd"),
        (tarfile.FIFOTYPE, ""),
        (tarfile.CHRTYPE, ""),
    ],
)
def test_an_archive_holds_files_and_folders_alone(tmp_path: Path, kind: bytes, target: str) -> None:
    (tmp_path / "sent.tar").write_bytes(with_member("wheels/b.whl", kind, target))
    with pytest.raises(BoardError, match="did not arrive whole"):
        TARGETS["archive"].read(tmp_path / "sent.tar")
