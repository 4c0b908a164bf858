"""Calibration of scores: known temperatures and biases, and a real network."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("keras")

from maskwatch_train.calibration import (
    TEMPERATURES,
    Calibration,
    apply_calibration,
    fit_calibration,
)
from maskwatch_train.network import build_network


@pytest.mark.parametrize("sureness", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("lean", [-1.5, 0.0, 0.8])
def test_what_made_scores_too_sure_or_lean_is_undone(sureness: float, lean: float) -> None:
    rng = np.random.default_rng(5)
    odds = rng.normal(0.0, 2.0, 20_000)
    labels = (rng.random(len(odds)) < 1 / (1 + np.exp(-odds))).astype(int)
    claimed = 1 / (1 + np.exp(-sureness * (odds + lean)))
    calibration = fit_calibration(np.column_stack([1 - claimed, claimed]), labels)
    assert calibration.temperature == pytest.approx(sureness, rel=0.08)
    assert calibration.bias == pytest.approx(-lean, abs=0.08)


def test_a_network_that_is_never_wrong_is_made_as_sure_as_may_be_and_leans_nowhere() -> None:
    answers = np.array([[0.9, 0.1], [0.1, 0.9]])
    calibration = fit_calibration(answers, np.array([0, 1]))
    assert calibration.temperature == TEMPERATURES[0]
    assert calibration.bias == pytest.approx(0.0, abs=1e-9)


def test_a_calibration_divides_and_moves_the_log_odds() -> None:
    network = build_network(size=32, alpha=0.35, head="gap", weights="none")
    crops = np.random.default_rng(1).uniform(0, 255, (6, 32, 32, 3)).astype(np.float32)
    before = network.predict(crops, verbose=0)
    apply_calibration(network, Calibration(temperature=2.0, bias=0.7))
    after = network.predict(crops, verbose=0)
    np.testing.assert_allclose(
        np.log(after[:, 1] / after[:, 0]),
        np.log(before[:, 1] / before[:, 0]) / 2 + 0.7,
        atol=1e-4,
    )
