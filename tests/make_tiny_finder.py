"""Makes the tiny finder that the tests run: `python tests/make_tiny_finder.py`, with TensorFlow.

It takes what is red all over for a face of 48 px: the weights are set by hand, so that nothing is
trained and every run gives the same answers.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf

from maskwatch_edge.contract import COLOUR_ORDER, FACE, FinderContract, write_model
from maskwatch_edge.finders.codes import BoxCode

WIDTH, HEIGHT = 128, 96
FOLDER = Path(__file__).parent / "data"


def build() -> tf.keras.Model:
    """Build the network: how red the surroundings of each place are, and always the same box."""
    inputs = tf.keras.Input((HEIGHT, WIDTH, 3), batch_size=1)
    scaled = tf.keras.layers.Rescaling(1 / 255)(inputs)
    around = tf.keras.layers.AveragePooling2D(48, strides=8, padding="same")(scaled)
    heat = tf.keras.layers.Conv2D(1, 1, activation="sigmoid", name="heat")
    boxes = tf.keras.layers.Conv2D(4, 1, activation="tanh", name="boxes")
    model = tf.keras.Model(inputs, {"heat": heat(around), "boxes": boxes(around)})
    heat.set_weights([np.array([10.0, -10.0, -10.0]).reshape(1, 1, 3, 1), np.array([-5.0])])
    boxes.set_weights([np.zeros((1, 1, 3, 4)), np.zeros(4)])
    return model


def convert(model: tf.keras.Model) -> bytes:
    """Convert to an int8 TFLite flatbuffer."""
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = calibration
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.uint8
    return bytes(converter.convert())


def calibration() -> list[list[np.ndarray]]:
    """Show every corner of the colour cube, and so the values 0 and 255."""
    corners = np.stack(np.meshgrid([0, 255], [0, 255], [0, 255]), axis=-1).reshape(-1, 3)
    return [[np.full((1, HEIGHT, WIDTH, 3), corner, np.float32)] for corner in corners]


def main() -> None:
    """Write the file."""
    code = BoxCode()
    contract = FinderContract(
        labels=(FACE,),
        input_width=WIDTH,
        input_height=HEIGHT,
        stride=code.stride,
        reference_size=code.reference_size,
        reach=code.reach,
        colour_order=COLOUR_ORDER,
        variant="int8",
        package_version="0.1.0",
        data_fingerprint="none",
        scores={"ap50": 1.0},
        command="python tests/make_tiny_finder.py",
    )
    write_model(FOLDER / "tiny-finder-int8.tflite", convert(build()), contract)


if __name__ == "__main__":
    main()
