"""The files that Maskwatch reads."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np

from maskwatch_convert.training_run import DATA_REPORT, METRICS, NETWORK, TrainingRun
from maskwatch_edge.cameras.sources import VideoSource
from maskwatch_edge.config.file import load_config
from maskwatch_edge.contract import read_finder, read_model
from maskwatch_edge.dataset import read_frames
from maskwatch_edge.deploy.service_config import read_environment
from maskwatch_edge.deploy.wheels import read_wheel
from maskwatch_edge.evaluate.selection import read_identities
from maskwatch_edge.finders import HaarFinder
from maskwatch_edge.mqtt.backlog import Backlog, Entry
from maskwatch_edge.mqtt.link import read_password
from maskwatch_edge.pictures import read_picture
from maskwatch_edge.signatures.keys import read_private, read_trusted
from maskwatch_edge.signatures.signature import SUFFIX, read_signature
from maskwatch_edge.statistics.store import Store, read_minutes

from . import seeds
from .target import Target

NOISE = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)


def _read_annotation(path: Path) -> object:
    images, annotations = path.parent / "images", path.parent / "annotations"
    images.mkdir(exist_ok=True)
    annotations.mkdir(exist_ok=True)
    (images / "file.png").touch()
    path.replace(annotations / "file.xml")
    return read_frames(path.parent)


def _read_video(path: Path) -> object:
    with VideoSource(str(path)) as source:
        return list(islice(source.frames(), 10))


def _read_cascade(path: Path) -> object:
    return HaarFinder(path).find(NOISE)


def _read_run(path: Path) -> object:
    for name in (NETWORK, DATA_REPORT, METRICS):
        (path.parent / name).write_bytes(path.read_bytes())
    return TrainingRun.read(path.parent)


def _read_statistics(path: Path) -> object:
    try:
        with Store(path, keep_days=30):
            pass
    finally:
        if path.exists():
            read_minutes(path, 0, 2**40)
    return None


def _read_backlog(path: Path) -> object:
    """Whatever the disk holds, a new event is kept and can be sent."""
    with Backlog(path, "door-1", 10, lambda line: None) as backlog:
        backlog.add([Entry(True, {"kind": "left"})])
        waiting = backlog.after(0, 20)
        assert all(isinstance(one.payload, str) for one in waiting)
        assert any('"kind": "left"' in one.payload for one in waiting)
        backlog.remove([one.number for one in waiting])
        return backlog.after(0, 20)


def _read_wheel(path: Path) -> object:
    return read_wheel(path).installer()


FILES = {
    "model": Target(".tflite", read_model, seeds.model),
    "finder": Target(".tflite", read_finder, seeds.finder),
    "config": Target(".toml", lambda path: load_config(path, {}, {}), seeds.config),
    "annotation": Target(".xml", _read_annotation, seeds.annotation),
    "picture": Target(".img", read_picture, seeds.picture),
    "video": Target(".mp4", _read_video, seeds.video),
    "cascade": Target(".xml", _read_cascade, seeds.cascade),
    "environment": Target(".env", read_environment, seeds.environment),
    "password": Target(".txt", read_password, seeds.password, examples=50),
    "identities": Target(".txt", read_identities, seeds.identity),
    "run": Target(".json", _read_run, seeds.run, examples=100),
    "wheel": Target(".whl", _read_wheel, seeds.wheel),
    "signature": Target(SUFFIX, lambda path: read_signature(path.with_suffix("")), seeds.signature),
    "trusted keys": Target(".pub", read_trusted, seeds.trusted_keys),
    "private key": Target(".pem", read_private, seeds.private_key),
    "statistics": Target(".db", _read_statistics, seeds.statistics),
    "backlog": Target(".sqlite", _read_backlog, seeds.backlog, examples=100),
}
