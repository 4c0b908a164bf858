"""Labels that another network contradicts: pictures filed under the wrong class.

Public photographs "with mask" show bare noses here and there, which are "without" by our
definition. A network that was trained on other data tells which. Northcutt et al., "Confident
Learning: Estimating Uncertainty in Dataset Labels", 2021.
"""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np

from .samples import TRAIN, DataSet, with_train_split
from .training import predict

CONTRADICTION = 0.9
"""Score of the other label from which a face is left out."""


def leave_out_contradicted(data: DataSet, network: keras.Model) -> DataSet:
    """Leave out the training faces whose label a network contradicts, and report them.

    Validation and test stay as they are: what is scored is not chosen by a network. So do the
    faces of annotated frames, which were labelled one by one.

    Args:
        data: What `load_data_set` returned.
        network: Best trained on other data; takes the same input size.
    """
    samples = data.splits[TRAIN]
    labels = np.array([sample.label_index for sample in samples])
    answers = predict(network, samples)
    is_doubtful = answers[np.arange(len(labels)), 1 - labels] >= CONTRADICTION
    is_whole = np.array([sample.face.box is None for sample in samples])
    contradicted = is_doubtful & is_whole
    kept = [sample for sample, is_out in zip(samples, contradicted, strict=True) if not is_out]
    names = [
        str(sample.face.path)
        for sample, is_out in zip(samples, contradicted, strict=True)
        if is_out
    ]
    smaller = with_train_split(data, kept)
    return replace(smaller, report=smaller.report | {"left_out_by_second_opinion": names})
