"""The files of a SavedModel, and the names, shapes and dtypes of its signatures."""

from typing import Final

SAVED_MODEL_FILE: Final = "saved_model.pb"  # in its folder
EXTRA_ASSETS: Final = "assets.extra"  # in it too: files that the graph does not refer to
SERVING_DEFAULT: Final = "serving_default"
SERVING_EXAMPLES: Final = "serving_examples"
INPUT_IMAGES: Final = "image_bytes"  # string [batch]
INPUT_EXAMPLES: Final = "examples"  # string [batch], serialised tf.Example with ENCODED
OUTPUT_LABEL: Final = "label"  # string [batch]
OUTPUT_SCORE: Final = "score"  # float32 [batch], probability of the label
OUTPUT_PROBABILITIES: Final = "probabilities"  # float32 [batch, classes]
# string [batch, classes], the label of each probability; by this name TFMA finds it
OUTPUT_CLASSES: Final = "all_classes"
