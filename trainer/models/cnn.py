"""A plain convolutional network, the first model of every Keras course."""

import keras
from keras import layers

from contracts.config.trainer.cnn_stages import CnnStage, cnn_stages
from contracts.config.trainer.model_options import CnnOptions

# Keras's 0.99 needs about 500 steps before the moving averages mean something; small folders
# of images have trained for several epochs by then.
NORM_MOMENTUM = 0.9
POOLING = {"max": layers.MaxPooling2D, "average": layers.AveragePooling2D}


def build_cnn(options: CnnOptions, size_px: int, classes: int) -> keras.Model:
    """Return stages of Conv2D, BatchNormalization, ReLU and pooling under a softmax.

    Unless the options say otherwise every stage halves the side. Maps float32 [batch, size_px,
    size_px, 3] in 0..255 to float32 [batch, classes] probabilities.
    """
    inputs = keras.Input((size_px, size_px, 3), name="pixels")
    x = layers.Rescaling(1 / 127.5, offset=-1.0, name="normalise")(inputs)
    for number, stage in enumerate(cnn_stages(options, size_px)):
        x = _stage(x, stage, f"stage_{number}")
    x = layers.GlobalAveragePooling2D(name="head_pool")(x)
    if options.dense_units:
        x = layers.Dense(options.dense_units, activation="relu", name="head_dense")(x)
    x = layers.Dropout(options.dropout, name="head_dropout")(x)
    # The softmax stays in float32 under mixed precision.
    outputs = layers.Dense(classes, activation="softmax", dtype="float32", name="probabilities")(x)
    return keras.Model(inputs, outputs, name="cnn")


def _stage(x: keras.KerasTensor, stage: CnnStage, name: str) -> keras.KerasTensor:
    x = layers.Conv2D(
        stage.filters,
        stage.kernel_size,
        strides=stage.stride,
        padding=stage.padding,
        use_bias=False,  # BatchNormalization brings the offset that it would be
        name=f"{name}_conv",
    )(x)
    x = layers.BatchNormalization(momentum=NORM_MOMENTUM, name=f"{name}_norm")(x)
    x = layers.ReLU(name=f"{name}_relu")(x)
    if stage.pooling == "none":
        return x
    return POOLING[stage.pooling](2, name=f"{name}_pool")(x)
