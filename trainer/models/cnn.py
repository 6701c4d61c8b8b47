"""A plain convolutional network, the first model of every Keras course."""

import math

import keras
from keras import layers

from contracts.model_options import CnnOptions

# Keras's 0.99 needs about 500 steps before the moving averages mean something; small folders
# of images have trained for several epochs by then.
NORM_MOMENTUM = 0.9
SMALLEST_SIDE_PX = 3
LAST_FILTERS = 256


def build_cnn(options: CnnOptions, size_px: int, classes: int) -> keras.Model:
    """Return Conv2D, BatchNormalization, ReLU and MaxPooling2D stages under a softmax.

    Every stage halves the side. Maps float32 [batch, size_px, size_px, 3] in 0..255 to
    float32 [batch, classes] probabilities.
    """
    inputs = keras.Input((size_px, size_px, 3), name="pixels")
    x = layers.Rescaling(1 / 127.5, offset=-1.0, name="normalise")(inputs)
    for stage, filters in enumerate(options.filters or fitting_filters(size_px)):
        x = _stage(x, filters, options.kernel_size, f"stage_{stage}")
    x = layers.GlobalAveragePooling2D(name="head_pool")(x)
    if options.dense_units:
        x = layers.Dense(options.dense_units, activation="relu", name="head_dense")(x)
    x = layers.Dropout(options.dropout, name="head_dropout")(x)
    # The softmax stays in float32 under mixed precision.
    outputs = layers.Dense(classes, activation="softmax", dtype="float32", name="probabilities")(x)
    return keras.Model(inputs, outputs, name="cnn")


def fitting_filters(size_px: int) -> tuple[int, ...]:
    """Return stages that leave 3 to 5 pixels a side, the last with 256 filters.

    Each stage has twice the filters of the one before on a quarter of the pixels, so that all
    cost the same. 32 px: 64, 128, 256. 96 px: 16, 32, 64, 128, 256.
    """
    stages = max(1, int(math.log2(size_px / SMALLEST_SIDE_PX)))
    return tuple(max(1, LAST_FILTERS >> (stages - 1 - stage)) for stage in range(stages))


def _stage(x: keras.KerasTensor, filters: int, kernel_size: int, name: str) -> keras.KerasTensor:
    # BatchNormalization brings the offset that the convolution's bias would be.
    x = layers.Conv2D(filters, kernel_size, padding="same", use_bias=False, name=f"{name}_conv")(x)
    x = layers.BatchNormalization(momentum=NORM_MOMENTUM, name=f"{name}_norm")(x)
    x = layers.ReLU(name=f"{name}_relu")(x)
    return layers.MaxPooling2D(2, name=f"{name}_pool")(x)
