"""Makes the tiny models that the tests run: `python tests/make_tiny_model.py`, with TensorFlow.

They answer by colour alone: greenish means with_mask, any other hue without_mask, grey neither.
The weights are set by hand, so that nothing is trained and every run gives the same answers.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf

from maskwatch_edge.contract import COLOUR_ORDER, FACE_MARGIN, LABELS, ModelContract, write_model

SIZE = 32
FOLDER = Path(__file__).parent / "data"


def build() -> tf.keras.Model:
    """Build the network: how green each pixel is, its mean, and a softmax."""
    inputs = tf.keras.Input((SIZE, SIZE, 3), batch_size=1)
    scaled = tf.keras.layers.Rescaling(1 / 127.5, offset=-1.0)(inputs)
    greenness = tf.keras.layers.Conv2D(2, 3, strides=2, activation="relu")
    mean = tf.keras.layers.GlobalAveragePooling2D()(greenness(scaled))
    answer = tf.keras.layers.Dense(len(LABELS), activation="softmax")
    model = tf.keras.Model(inputs, answer(mean))
    green = np.array([-0.5, 1.0, -0.5]) / 9
    kernel = np.tile(np.stack([green, -green], axis=-1), (3, 3, 1, 1))
    greenness.set_weights([kernel, np.zeros(2)])
    answer.set_weights([np.array([[4.0, -4.0], [-4.0, 4.0]]), np.zeros(2)])
    return model


def convert(model: tf.keras.Model, variant: str) -> bytes:
    """Convert to a TFLite flatbuffer, "int8" or "float32"."""
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if variant == "int8":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = calibration
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.uint8
    return bytes(converter.convert())


def calibration() -> list[list[np.ndarray]]:
    """Show every corner of the colour cube, and so the values 0 and 255."""
    corners = np.stack(np.meshgrid([0, 255], [0, 255], [0, 255]), axis=-1).reshape(-1, 3)
    return [[np.full((1, SIZE, SIZE, 3), corner, np.float32)] for corner in corners]


def main() -> None:
    """Write both files."""
    model = build()
    for variant in ("int8", "float32"):
        contract = ModelContract(
            labels=LABELS,
            input_size=SIZE,
            colour_order=COLOUR_ORDER,
            face_margin=FACE_MARGIN,
            variant=variant,
            package_version="0.1.0",
            data_fingerprint="none",
            scores={"accuracy": 1.0},
            command="python tests/make_tiny_model.py",
        )
        write_model(FOLDER / f"tiny-{variant}.tflite", convert(model, variant), contract)


if __name__ == "__main__":
    main()
