"""Loads a pushed or exported SavedModel."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import tensorflow as tf

from contracts.artifacts import signatures
from contracts.system.errors import ComponentError, in_one_line

# Batch size of inference. Inference keeps the activations of few layers at a time, so a batch takes
# less memory than a training step on a few images. Larger batches are no faster.
IMAGES_A_STEP: Final = 32

OUTPUTS: Final = (
    signatures.OUTPUT_LABEL,
    signatures.OUTPUT_SCORE,
    signatures.OUTPUT_PROBABILITIES,
    signatures.OUTPUT_CLASSES,
)


@dataclass(frozen=True)
class ServingSignature:
    """The signature `serving_default` of a loaded model: encoded images -> named outputs."""

    function: Any  # TensorFlow's wrapped function
    model: Any  # holds the variables of the function, which does not keep them itself

    def __call__(self, image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return the outputs of a batch: string [batch] -> `contracts.artifacts.signatures`."""
        outputs: dict[str, tf.Tensor] = self.function(**{signatures.INPUT_IMAGES: image_bytes})
        return outputs


def load_signature(folder: Path) -> ServingSignature:
    """Return the serving signature of the SavedModel in `folder`.

    Raises:
      ComponentError: there is no SavedModel, it cannot be loaded, or its signature is not one
        that imgpipe exports.
    """
    if not Path(folder, signatures.SAVED_MODEL_FILE).is_file():
        raise ComponentError(
            f"{folder}: expected a SavedModel, found no {signatures.SAVED_MODEL_FILE} there. "
            "Name the folder that holds this file."
        )
    try:
        model = tf.saved_model.load(str(folder))
    except Exception as error:  # a damaged file makes TensorFlow raise errors of many types
        raise ComponentError(
            f"{folder}: expected a SavedModel that can be loaded, received "
            f"{in_one_line(error).rstrip('.')}. Restore the folder, or export the model again."
        ) from error
    function = model.signatures.get(signatures.SERVING_DEFAULT)
    missing = _missing_names(function)
    if missing:
        raise ComponentError(
            f"{folder}: expected the signature {signatures.SERVING_DEFAULT} with the input "
            f"{signatures.INPUT_IMAGES} and the outputs {', '.join(OUTPUTS)}, received one that "
            f"lacks {', '.join(missing)}. Export the model with this version of imgpipe."
        )
    return ServingSignature(function, model)


def _missing_names(function: Any) -> list[str]:
    """Return the names that a signature lacks; all of them where there is no signature."""
    expected = {signatures.INPUT_IMAGES, *OUTPUTS}
    if function is not None:
        expected -= {*function.structured_input_signature[1], *function.structured_outputs}
    return sorted(expected)
