"""Every reader of files that Maskwatch has, and files that it reads rightly to start from.

The property of each: whatever the file holds, there is a result, or a `MaskwatchError` whose
message is one that a user can be shown.
"""

from __future__ import annotations

import io
import sqlite3
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from maskwatch_edge.config.file import load_config
from maskwatch_edge.contract import read_finder, read_model
from maskwatch_edge.dataset import read_frames
from maskwatch_edge.deploy.service_config import read_environment
from maskwatch_edge.deploy.wheels import read_wheel
from maskwatch_edge.errors import MaskwatchError
from maskwatch_edge.evaluate.selection import read_identities
from maskwatch_edge.pictures import read_picture
from maskwatch_edge.signatures.keys import new_key, read_private, read_trusted
from maskwatch_edge.signatures.signature import SUFFIX, Signature, read_signature
from maskwatch_edge.statistics.counting import Counts
from maskwatch_edge.statistics.store import Store, read_minutes

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
LONGEST_MESSAGE = 4_000
PUBLIC_KEY = (
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKqAwDt7fJhgaihRRCsJwOI/oyYE0XnGf/vaDp2OU/NB somebody\n"
)


@dataclass(frozen=True)
class Target:
    """A reader.

    Attributes:
        suffix: Of the file that it reads.
        read: Reads the file.
        seeds: Returns contents that it reads without an error.
    """

    suffix: str
    read: Callable[[Path], object]
    seeds: Callable[[], list[bytes]]

    def try_content(self, content: bytes, folder: Path) -> None:
        """Let it read a content.

        Args:
            content: Of the file.
            folder: An empty one, where the file is written and removed again.

        Raises:
            Exception: Whatever the reader raises that is no error of ours.
            AssertionError: If its message is none to show.
        """
        path = folder / f"file{self.suffix}"
        path.write_bytes(content)
        try:
            self.read(path)
        except MaskwatchError as error:
            message = str(error)
        else:
            return
        finally:
            for left in folder.glob("file*"):
                left.unlink()
        assert message.strip(), "an error that says nothing"
        assert len(message) < LONGEST_MESSAGE, f"a message of {len(message)} characters"


def _read_annotation(path: Path) -> object:
    images, annotations = path.parent / "images", path.parent / "annotations"
    images.mkdir(exist_ok=True)
    annotations.mkdir(exist_ok=True)
    (images / "file.png").touch()
    path.replace(annotations / "file.xml")
    return read_frames(path.parent)


def _read_statistics(path: Path) -> object:
    try:
        with Store(path, keep_days=30):
            pass
    finally:
        if path.exists():
            read_minutes(path, 0, 2**40)
    return None


def _model_seeds() -> list[bytes]:
    return [(DATA / "tiny-int8.tflite").read_bytes()]


def _finder_seeds() -> list[bytes]:
    return [(DATA / "tiny-finder-int8.tflite").read_bytes()]


def _config_seeds() -> list[bytes]:
    commented = (ROOT / "systemd" / "config.toml").read_text()
    return [
        commented.encode(),
        b'[camera]\nsource = "rtsp://user:word@camera/"\n[[indicator.lamps]]\nline = "GPIO17"\n'
        b'role = "alert"\nblink_hz = 2.5\n[faces]\nmin_score = 1e-1\n[web]\naddress = "::1"\n',
    ]


def _annotation_seeds() -> list[bytes]:
    item = (
        "<object><name>{}</name><bndbox><xmin>1</xmin><ymin>2.5</ymin><xmax>30</xmax>"
        "<ymax>40</ymax></bndbox></object>"
    )
    names = ("with_mask", "without_mask", "mask_weared_incorrect")
    whole = f"<annotation>{''.join(map(item.format, names))}</annotation>"
    return [whole.encode(), f"<?xml version='1.0' encoding='utf-16'?>{whole}".encode("utf-16")]


def _picture_seeds() -> list[bytes]:
    pixels = np.random.default_rng(1).integers(0, 256, (16, 24, 3), np.uint8)
    return [cv2.imencode(kind, pixels)[1].tobytes() for kind in (".png", ".jpg", ".bmp", ".webp")]


def _environment_seeds() -> list[bytes]:
    return [b"# none\nMASKWATCH_CAMERA_SOURCE='rtsp://a:b@c/'\nLC_ALL=C.UTF-8\n"]


def _identity_seeds() -> list[bytes]:
    return [f"{'0' * 64}\n{'a' * 64}:1,2,3,4\n".encode()]


def _wheel_seeds() -> list[bytes]:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        metadata = "Metadata-Version: 2.1\nName: maskwatch\nVersion: 0.1.0\nRequires-Dist: numpy\n"
        archive.writestr("maskwatch-0.1.0.dist-info/METADATA", metadata)
    return [content.getvalue()]


def _statistics_seeds() -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "statistics.db"
        with Store(path, keep_days=30) as store:
            store.add({29_000_000: Counts(seen_seconds=60)})
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
        return [path.read_bytes()]


def _signature_seeds() -> list[bytes]:
    return [Signature("0" * 64, 1, "0" * 16, bytes(64)).to_bytes()]


def _key_seeds() -> list[bytes]:
    return [PUBLIC_KEY.encode(), f"# of the house\n\n{PUBLIC_KEY}{PUBLIC_KEY}".encode()]


def _private_key_seeds() -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        new_key(Path(folder) / "key")
        return [(Path(folder) / "key").read_bytes()]


TARGETS = {
    "model": Target(".tflite", read_model, _model_seeds),
    "finder": Target(".tflite", read_finder, _finder_seeds),
    "config": Target(".toml", lambda path: load_config(path, {}, {}), _config_seeds),
    "annotation": Target(".xml", _read_annotation, _annotation_seeds),
    "picture": Target(".img", read_picture, _picture_seeds),
    "environment": Target(".env", read_environment, _environment_seeds),
    "identities": Target(".txt", read_identities, _identity_seeds),
    "wheel": Target(".whl", read_wheel, _wheel_seeds),
    "signature": Target(
        SUFFIX, lambda path: read_signature(path.with_suffix("")), _signature_seeds
    ),
    "trusted keys": Target(".pub", read_trusted, _key_seeds),
    "private key": Target(".pem", read_private, _private_key_seeds),
    "statistics": Target(".db", _read_statistics, _statistics_seeds),
}


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
