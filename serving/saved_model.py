"""Loads a pushed or exported SavedModel."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf

from contracts.artifacts import signatures
from contracts.system.errors import ComponentError

OUTPUTS = (
    signatures.OUTPUT_LABEL,
    signatures.OUTPUT_SCORE,
    signatures.OUTPUT_PROBABILITIES,
    signatures.OUTPUT_CLASSES,
)

Signature = Callable[[tf.Tensor], dict[str, tf.Tensor]]


def load_signature(folder: Path) -> Signature:
    """Return the serving signature: string [batch], encoded images -> the named outputs.

    Raises:
      ComponentError: the model has other outputs than those that imgpipe exports.
      OSError: there is no SavedModel.
    """
    model = tf.saved_model.load(str(folder))
    signature = model.signatures[signatures.SERVING_DEFAULT]
    missing = sorted(set(OUTPUTS) - set(signature.structured_outputs))
    if missing:
        raise ComponentError(
            f"{folder}: expected the outputs {', '.join(OUTPUTS)} of the signature "
            f"{signatures.SERVING_DEFAULT}, which lacks {', '.join(missing)}. "
            "Export the model with this version of imgpipe."
        )

    def predict(image_bytes: tf.Tensor, _keep_alive: Any = model) -> dict[str, tf.Tensor]:
        outputs: dict[str, tf.Tensor] = signature(**{signatures.INPUT_IMAGES: image_bytes})
        return outputs

    return predict
