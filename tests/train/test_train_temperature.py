"""Temperature scaling: known temperatures, and a real network."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("keras")

from maskwatch_train.network import build_network
from maskwatch_train.temperature import TEMPERATURES, cool, fit_temperature


@pytest.mark.parametrize("sureness", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_what_made_scores_too_sure(sureness: float) -> None:
    rng = np.random.default_rng(5)
    logits = rng.normal(0.0, 2.0, 20_000)
    labels = (rng.random(len(logits)) < 1 / (1 + np.exp(-logits))).astype(int)
    claimed = 1 / (1 + np.exp(-sureness * logits))
    temperature = fit_temperature(np.column_stack([1 - claimed, claimed]), labels)
    assert temperature == pytest.approx(sureness, rel=0.08)


def test_a_network_that_is_never_wrong_is_made_as_sure_as_may_be() -> None:
    answers = np.array([[0.9, 0.1], [0.2, 0.8]])
    assert fit_temperature(answers, np.array([0, 1])) == TEMPERATURES[0]


def test_cooling_divides_the_logits_and_changes_no_label() -> None:
    network = build_network(size=32, alpha=0.35, head="gap", weights="none")
    crops = np.random.default_rng(1).uniform(0, 255, (6, 32, 32, 3)).astype(np.float32)
    before = network.predict(crops, verbose=0)
    cool(network, 2.0)
    after = network.predict(crops, verbose=0)
    np.testing.assert_allclose(
        np.log(after[:, 0] / after[:, 1]), np.log(before[:, 0] / before[:, 1]) / 2, atol=1e-4
    )
    assert (after.argmax(axis=1) == before.argmax(axis=1)).all()
