"""A narrow network out of a wider one: what is kept, and that all layers keep the same."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from maskwatch_edge.errors import InputError
from maskwatch_train.narrowing import find_streams, narrow, norm_of, thin
from maskwatch_train.network import BACKBONE_NAME, build_network

FACES = np.random.default_rng(0).uniform(0, 255, (4, 64, 64, 3)).astype(np.float32)


def network_of(alpha: float, head: str = "flatten") -> Any:
    """Build a network whose batch norms look as if they had learned something."""
    keras.utils.set_random_seed(7)
    network = build_network(size=64, alpha=alpha, head=head, weights="none")
    rng = np.random.default_rng(int(100 * alpha))
    for layer in network.get_layer(BACKBONE_NAME).layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            ranges = ((0.5, 1.5), (-0.5, 0.5), (-0.1, 0.1), (0.1, 1.0))
            channels = layer.gamma.shape[0]
            layer.set_weights([rng.uniform(low, high, channels) for low, high in ranges])
    return network


def silence(wide: Any, narrow_network: Any) -> None:
    """Let as many channels of each stream say nothing as the narrow network lacks."""
    silence_backbone(*(each.get_layer(BACKBONE_NAME) for each in (wide, narrow_network)))


def silence_backbone(backbone: Any, body: Any) -> None:
    rng = np.random.default_rng(3)
    for stream in find_streams(backbone):
        least = body.get_layer(stream.writers[0]).filters
        most = backbone.get_layer(stream.writers[0]).filters
        dropped = rng.permutation(most)[least:]
        for name in [*stream.writers, *stream.filters]:
            weights = norm_of(backbone, name).get_weights()
            weights[0][dropped] = weights[1][dropped] = 0.0
            norm_of(backbone, name).set_weights(weights)


def test_streams_hold_every_convolution_once() -> None:
    backbone = network_of(0.35).get_layer(BACKBONE_NAME)
    streams = list(find_streams(backbone))
    written = [name for stream in streams for name in (*stream.writers, *stream.filters)]
    read = [name for stream in streams for name in stream.readers]
    convolutions = {
        layer.name
        for layer in backbone.layers
        if isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D)
    }
    assert len(written) == len(set(written))
    assert set(written) == convolutions
    pointwise = {name for name in convolutions if "depthwise" not in name} - {"Conv1"}
    assert sorted(read) == sorted(pointwise)


def test_blocks_that_add_to_their_input_share_a_stream() -> None:
    streams = list(find_streams(network_of(0.35).get_layer(BACKBONE_NAME)))
    (shared,) = (stream for stream in streams if "block_6_project" in stream.writers)
    assert shared.writers == [f"block_{number}_project" for number in (6, 7, 8, 9)]
    assert shared.readers == [f"block_{number}_expand" for number in (7, 8, 9, 10)]


@pytest.mark.parametrize("head", ["flatten", "gap"])
def test_a_network_of_the_same_width_stays_as_it_is(head: str) -> None:
    one, other = (
        network_of(0.35, head),
        build_network(size=64, alpha=0.35, head=head, weights="none"),
    )
    narrow(one, other)
    for before, after in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(after, before)


@pytest.mark.parametrize(
    ("alpha", "narrower", "head"),
    [(0.5, 0.35, "gap"), (1.4, 1.0, "flatten")],  # above 1.0 the last layer is wider, too
)
def test_a_network_of_which_only_silent_channels_are_dropped_answers_as_before(
    alpha: float, narrower: float, head: str
) -> None:
    wide, slim = network_of(alpha, head), network_of(narrower, head)
    silence(wide, slim)
    answers = wide.predict_on_batch(FACES)
    assert np.abs(slim.predict_on_batch(FACES) - answers).max() > 1e-3
    narrow(wide, slim)
    np.testing.assert_allclose(slim.predict_on_batch(FACES), answers, atol=1e-4)


@pytest.mark.parametrize(
    ("wide", "target", "message"),
    [
        ((0.35, "gap"), (0.5, "gap"), "only a wider one can be narrowed; give a lower --alpha"),
        ((0.5, "gap"), (0.35, "flatten"), "has another head; give the --head of its training"),
        # So narrow that block 10 gives as many channels as it takes, and adds them.
        ((0.35, "gap"), (0.09, "gap"), "adds other layers than this one; give another --alpha"),
    ],
)
def test_what_cannot_be_narrowed_is_refused(
    wide: tuple[float, str], target: tuple[float, str], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        narrow(network_of(*wide), network_of(*target))


def test_another_kind_of_network_is_refused() -> None:
    other = keras.Sequential([keras.Input((64, 64, 3)), keras.layers.Flatten()])
    with pytest.raises(InputError, match="the earlier network is none of maskwatch train"):
        narrow(other, network_of(0.35))


def test_a_thinned_backbone_has_fewer_channels_inside_its_blocks_alone() -> None:
    backbone = network_of(0.5).get_layer(BACKBONE_NAME)
    body = thin(backbone, 0.5)
    for stream in find_streams(backbone):
        before, after = (each.get_layer(stream.writers[0]).filters for each in (backbone, body))
        # The first one of 0.5 has 16; all others inside are 48 or more, in steps of 48.
        assert after == (before // 2 if stream.filters else before), stream.writers[0]


def test_a_backbone_of_which_only_silent_channels_are_thinned_answers_as_before() -> None:
    backbone = network_of(0.5).get_layer(BACKBONE_NAME)
    silence_backbone(backbone, thin(backbone, 0.5))
    body = thin(backbone, 0.5)
    faces = FACES / 127.5 - 1
    np.testing.assert_allclose(
        body.predict_on_batch(faces), backbone.predict_on_batch(faces), atol=1e-4
    )


def test_a_backbone_thinned_to_all_of_it_stays_as_it_is() -> None:
    backbone = network_of(0.35).get_layer(BACKBONE_NAME)
    body = thin(backbone, 1.0)
    for before, after in zip(backbone.get_weights(), body.get_weights(), strict=True):
        np.testing.assert_array_equal(after, before)
