"""The network that `maskwatch train-finder` trains: each of its layers becomes integers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from maskwatch_convert.converter import convert_network, export_network, load_finder, with_input
from maskwatch_edge.contract import COLOUR_ORDER, FACE, FinderContract, write_model
from maskwatch_edge.finders.codes import BoxCode
from maskwatch_edge.finders.tflite import TfliteFinder
from maskwatch_train.finder.network import build_finder

from .conftest import KERAS_AND_NUMPY

pytestmark = pytest.mark.filterwarnings(KERAS_AND_NUMPY)


def test_the_finders_network_becomes_an_int8_model_that_the_board_runs(tmp_path: Path) -> None:
    network = build_finder(size_wh=(64, 32), alpha=0.35, channels=8, weights="none")
    network.save(tmp_path / "model.keras")
    made_larger = with_input(load_finder(tmp_path / "model.keras"), (96, 64))
    export_network(made_larger, tmp_path / "saved", "frame_rgb")
    pictures = list(np.random.default_rng(1).integers(0, 256, (4, 64, 96, 3), dtype=np.uint8))
    flatbuffer = convert_network(tmp_path / "saved", "int8", pictures)
    code = BoxCode()
    contract = FinderContract(
        labels=(FACE,),
        input_width=96,
        input_height=64,
        stride=code.stride,
        reference_size=code.reference_size,
        reach=code.reach,
        colour_order=COLOUR_ORDER,
        variant="int8",
        package_version="0.1.0",
        data_fingerprint="none",
    )
    write_model(tmp_path / "finder.tflite", flatbuffer, contract)
    finder = TfliteFinder(tmp_path / "finder.tflite", min_score=0.0)
    # Nothing is trained, so everything is found, and nothing surely.
    found = finder.find(np.full((120, 160, 3), 90, np.uint8))
    assert found
    assert all(box.score < 0.2 for box in found)
    # What makes the codes fit int8: the steps of a tanh do not depend on the calibration.
    assert finder._codes["quantization"][0] == pytest.approx(1 / 128)
    assert finder._heat["quantization"][0] == pytest.approx(1 / 256)
