"""What all tests share: the data set, the shipped model, and tiny models that need no training."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parents[1]

# The same examples in every run, so that a change never fails by luck; to look for new ones:
# HYPOTHESIS_PROFILE=search python -m pytest tests/edge
settings.register_profile("repeatable", deadline=None, derandomize=True, database=None)
settings.register_profile("search", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """Give the folder with the real data, which is beside the repository and not part of it."""
    folder = ROOT.parent / "shared"
    if not (folder / "data").is_dir():
        pytest.skip(f"needs the real pictures in {folder / 'data'}, which are not here")
    return folder


@pytest.fixture(scope="session")
def shipped_model() -> Path:
    """Give the model that comes with Maskwatch."""
    path = ROOT / "models" / "maskwatch-mobilenetv2-int8.tflite"
    if not path.is_file():
        pytest.skip(f"needs the shipped model {path}, which is not here")
    return path


@pytest.fixture(scope="session")
def tiny_model() -> Path:
    """Give an int8 model of 32 px that answers by colour; see make_tiny_model.py."""
    return ROOT / "tests" / "data" / "tiny-int8.tflite"


@pytest.fixture(scope="session")
def tiny_float_model() -> Path:
    """Give the same in float32."""
    return ROOT / "tests" / "data" / "tiny-float32.tflite"
