"""Makes Keras the one that our code is written for, whatever the user's keras.json says."""

import keras

from contracts.environment.keras_environment import TENSORFLOW
from trainer.hardware.gpus import gpus


def prepare_keras() -> None:
    """Set float type, epsilon and layout of images, and let TensorFlow take GPU memory as needed.

    It has to be called before the first layer is made and the first GPU is used. The backend
    follows from KERAS_BACKEND alone (`contracts.environment.library_settings`).
    """
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")
    if keras.backend.backend() == TENSORFLOW:
        import tensorflow as tf

        for gpu in gpus():
            tf.config.experimental.set_memory_growth(gpu, True)
