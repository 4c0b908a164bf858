"""Contents that the readers read without an error: what fuzzing starts from; and two bombs."""

from __future__ import annotations

import io
import json
import sqlite3
import struct
import tempfile
import zipfile
import zlib
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np

from maskwatch_edge.mqtt.backlog import Backlog, Entry
from maskwatch_edge.signatures.keys import new_key
from maskwatch_edge.signatures.signature import Signature
from maskwatch_edge.statistics.counting import Counts
from maskwatch_edge.statistics.store import Store

from .target import DATA, ROOT

VIDEO_WH = 48, 32
PUBLIC_KEY = (
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKqAwDt7fJhgaihRRCsJwOI/oyYE0XnGf/vaDp2OU/NB somebody\n"
)


def model() -> list[bytes]:
    return [(DATA / "tiny-int8.tflite").read_bytes()]


def finder() -> list[bytes]:
    return [(DATA / "tiny-finder-int8.tflite").read_bytes()]


def config() -> list[bytes]:
    commented = (ROOT / "systemd" / "config.toml").read_text()
    return [
        commented.encode(),
        b'[camera]\nsource = "rtsp://user:word@camera/"\n[[indicator.lamps]]\nline = "GPIO17"\n'
        b'role = "alert"\nblink_hz = 2.5\n[faces]\nmin_score = 1e-1\n[web]\naddress = "::1"\n',
    ]


def annotation() -> list[bytes]:
    item = (
        "<object><name>{}</name><bndbox><xmin>1</xmin><ymin>2.5</ymin><xmax>30</xmax>"
        "<ymax>40</ymax></bndbox></object>"
    )
    names = ("with_mask", "without_mask", "mask_weared_incorrect")
    whole = f"<annotation>{''.join(map(item.format, names))}</annotation>"
    return [whole.encode(), f"<?xml version='1.0' encoding='utf-16'?>{whole}".encode("utf-16")]


def picture() -> list[bytes]:
    pixels = np.random.default_rng(1).integers(0, 256, (16, 24, 3), np.uint8)
    return [cv2.imencode(kind, pixels)[1].tobytes() for kind in (".png", ".jpg", ".bmp", ".webp")]


def video() -> list[bytes]:
    return [_video("file.mp4", "mp4v"), _video("file.avi", "MJPG")]


def _video(name: str, codec: str) -> bytes:
    pixels = np.random.default_rng(1).integers(0, 256, (*VIDEO_WH[::-1], 3), np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), 10, VIDEO_WH)
        for _ in range(3):
            writer.write(pixels)
        writer.release()
        return path.read_bytes()


def cascade() -> list[bytes]:
    stump = "0 -1 0 0.5", "0.1 0.9"
    tree = "1 0 1 0.5 -1 -2 0 0.25", "0.1 0.2 0.9"
    weak = "<_><internalNodes>{}</internalNodes><leafValues>{}</leafValues></_>"
    stage = (
        "<_><maxWeakCount>1</maxWeakCount><stageThreshold>0.1</stageThreshold>"
        "<weakClassifiers>{}</weakClassifiers></_>"
    )
    stages = (stage.format(weak.format(*one)) for one in (stump, tree))
    whole = (
        '<opencv_storage><cascade type_id="opencv-cascade-classifier"><stageType>BOOST</stageType>'
        "<featureType>HAAR</featureType><height>20</height><width>20</width>"
        "<stageParams><maxWeakCount>2</maxWeakCount></stageParams>"
        "<featureParams><maxCatCount>0</maxCatCount></featureParams><stageNum>2</stageNum>"
        f"<stages>{''.join(stages)}</stages><features>"
        "<_><rects><_>2 7 16 4 -1.</_><_>2 9 16 2 2.</_></rects></_>"
        "<_><rects><_>8 4 4 3 -1.</_></rects><tilted>1</tilted></_>"
        "</features></cascade></opencv_storage>"
    )
    return [f'<?xml version="1.0"?>\n{whole}'.encode()]


def environment() -> list[bytes]:
    return [b"# none\nMASKWATCH_CAMERA_SOURCE='rtsp://a:b@c/'\nLC_ALL=C.UTF-8\n"]


def identity() -> list[bytes]:
    return [f"{'0' * 64}\n{'a' * 64}:1,2,3,4\n".encode()]


def password() -> list[bytes]:
    return ["größer\n".encode()]


def run() -> list[bytes]:
    faces = {"train": ["0" * 64], "test": ["a" * 64 + ":1,2,3,4"]}
    known = {"identities": faces, "fingerprint": "f" * 64, "command": "maskwatch train D"}
    return [json.dumps(known).encode(), json.dumps(known | {"kind": "finder"}).encode()]


def wheel() -> list[bytes]:
    return [_wheel(zipfile.ZIP_STORED), _wheel(zipfile.ZIP_DEFLATED)]


def _wheel(compression: int) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as archive:
        metadata = "Metadata-Version: 2.1\nName: maskwatch\nVersion: 0.1.0\nRequires-Dist: numpy\n"
        archive.writestr("maskwatch-0.1.0.dist-info/METADATA", metadata)
        archive.writestr("maskwatch_edge/systemd/install.sh", "exit 0\n" * 9)
    return content.getvalue()


def signature() -> list[bytes]:
    return [Signature("0" * 64, 1, "0" * 16, bytes(64)).to_bytes()]


def trusted_keys() -> list[bytes]:
    return [PUBLIC_KEY.encode(), f"# of the house\n\n{PUBLIC_KEY}{PUBLIC_KEY}".encode()]


def private_key() -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        new_key(Path(folder) / "key")
        return [(Path(folder) / "key").read_bytes()]


def statistics() -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "statistics.db"
        with Store(path, keep_days=30) as store:
            store.add({29_000_000: Counts(seen_seconds=60)})
        return [_as_one_file(path)]


def backlog() -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mqtt.sqlite"
        with Backlog(path, "door-1", 10, print) as backlog:
            backlog.add([Entry(True, {"kind": "appeared"}), Entry(False, {"seconds": 60.0})])
        return [_as_one_file(path)]


def _as_one_file(database: Path) -> bytes:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    return database.read_bytes()


def bomb_png(side: int) -> bytes:
    """Return a PNG of a few kilobytes that claims `side` x `side` pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        packed = struct.pack(">I", len(data)) + kind + data
        return packed + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(100_000), 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


def bomb_avi(side: int) -> bytes:
    """Return a video of a few kilobytes that claims frames of `side` x `side` pixels."""
    content = _video("bomb.avi", "MJPG").replace(
        struct.pack("<II", *VIDEO_WH), struct.pack("<II", side, side)
    )
    width, height = VIDEO_WH
    return content.replace(struct.pack(">HH", height, width), struct.pack(">HH", side, side))
