"""Models, cascades and pictures that come with Maskwatch: their licences, and what they come from.

How the models were made is told in `models/README.md` and in the model cards.
"""

from __future__ import annotations

from dataclasses import dataclass

from maskwatch_edge.models import SHIPPED_FINDERS, SHIPPED_MODELS


@dataclass(frozen=True)
class Work:
    """Something that is no program.

    Attributes:
        name: Its file, or what it is called where it is published.
        licence: An SPDX identifier where there is one.
        origin: Who made it, or where it was taken from.
        made_from: What went into it. It does not come with Maskwatch.
    """

    name: str
    licence: str
    origin: str
    made_from: tuple[Work, ...] = ()


IMAGENET = Work(
    "MobileNetV2's ImageNet weights", "Apache-2.0", "google-coral/test_data, dequantized"
)
YUNET = Work("YuNet, which boxed faces to learn from", "MIT", "OpenCV zoo")
CROPS = Work(
    "face-mask-12k",
    "not stated where it was taken from",
    "Kaggle, Face Mask 12K Images: pictures of the web, and portraits of CelebA, whose publishers "
    "allow nothing but research that is not commercial",
)
FRAMES = Work(
    "mask-frames",
    "MIT, as the collection says; it does not tell of single pictures",
    "iAmEthanMai/mask-detection-dataset, after Kaggle andrewmvd",
)
PHOTOS = Work(
    "mask-photos",
    "MIT, as the collection says; it does not tell of single pictures",
    "chandrikadeb7/Face-Mask-Detection",
)
LEARNED_FROM = (CROPS, FRAMES, PHOTOS, IMAGENET, YUNET)
"""All of ours did, the small one by way of the standard one."""

OPENCV = "Intel License Agreement For Open Source Computer Vision Library, in the head of the file"

WORKS = (
    *(
        Work(file, "MIT", "The Maskwatch authors", LEARNED_FROM)
        for file in (*SHIPPED_MODELS.values(), *SHIPPED_FINDERS.values())
    ),
    Work("haarcascade_frontalface_alt2.xml", OPENCV, "OpenCV, by Rainer Lienhart"),
    Work("haarcascade_frontalface_default.xml", OPENCV, "OpenCV, by Rainer Lienhart"),
    Work(
        "demo.mp4",
        "MIT",
        "The Maskwatch authors",
        (
            Work("Portrait of Eileen Collins", "public domain", "NASA, in scikit-image"),
            Work("Portrait of Grace Hopper", "public domain", "U.S. Navy, in matplotlib"),
        ),
    ),
)
"""What comes with Maskwatch, a file each."""
