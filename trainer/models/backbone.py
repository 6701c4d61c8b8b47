"""The backbones of keras.applications under a head of ours."""

import inspect
import sys
import warnings
from collections.abc import Callable
from typing import Any

import keras
from keras import layers

from contracts.config.trainer.keras_applications import SMALLEST_PX
from contracts.config.trainer.model_options import BackboneOptions
from contracts.system.errors import ConfigError

POOLING = {"average": layers.GlobalAveragePooling2D, "max": layers.GlobalMaxPooling2D}

# Arguments of an application that are set here and not by the user.
TAKEN = {
    "classes",
    "classifier_activation",
    "include_preprocessing",
    "include_top",
    "input_shape",
    "input_tensor",
    "name",
    "pooling",
    "weights",
    "weights_name",
}


@keras.saving.register_keras_serializable("imgpipe")
class ApplicationPreprocessing(layers.Layer):
    """What an application's own `preprocess_input` makes of float32 pixels in 0..255."""

    def __init__(self, application: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.application = application

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Return the pixels as the application was trained on them."""
        module = sys.modules[application_builder(self.application).__module__]
        return module.preprocess_input(inputs)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` takes."""
        return {**super().get_config(), "application": self.application}


def build_backbone(
    name: str, options: BackboneOptions, size_px: int, classes: int, weights: str | None = None
) -> keras.Model:
    """Return the application `name` with its own preprocessing, pooling and a softmax.

    Its layers stand in the model itself, under their own names. Maps float32 [batch, size_px,
    size_px, 3] in 0..255 to float32 [batch, classes] probabilities.

    Args:
      weights: of the backbone, "imagenet" or None for random ones.

    Raises:
      ConfigError: the installed Keras has no such application, it does not take the arguments or
        the size, or its weights cannot be downloaded.
    """
    if size_px < SMALLEST_PX[name]:
        raise ConfigError(
            f"preprocessing.image_size_px: expected an integer >= {SMALLEST_PX[name]}, the least "
            f"that {name} takes, received {size_px}."
        )
    inputs = keras.Input((size_px, size_px, 3), name="pixels")
    x = ApplicationPreprocessing(name, dtype="float32", name="normalise")(inputs)
    x = call_application(
        name,
        weights=weights,
        input_tensor=x,
        input_shape=(size_px, size_px, 3),
        **_further_arguments(name, options),
    ).output
    x = POOLING[options.pooling](name="head_pool")(x)
    x = layers.Dropout(options.head_dropout, name="head_dropout")(x)
    # The softmax stays in float32 under mixed precision.
    outputs = layers.Dense(classes, activation="softmax", dtype="float32", name="probabilities")(x)
    return keras.Model(inputs, outputs, name=name)


def application_builder(name: str) -> Callable[..., keras.Model]:
    """Return the function of keras.applications.

    Raises:
      ConfigError: the installed Keras has none of this name.
    """
    builder: Callable[..., keras.Model] | None = getattr(keras.applications, name, None)
    if builder is None:
        raise ConfigError(
            f"trainer.model: expected a model of the installed Keras {keras.__version__}, which "
            f"has no {name}. Take another one."
        )
    return builder


def call_application(name: str, **arguments: Any) -> keras.Model:
    """Return the application without its top.

    Raises:
      ConfigError: it refuses the arguments, or its weights cannot be downloaded.
    """
    try:
        with warnings.catch_warnings():
            # MobileNets warn at another size than 224 that the weights are those of 224.
            warnings.filterwarnings("ignore", message="`input_shape` is", category=UserWarning)
            return application_builder(name)(include_top=False, **arguments)
    except ConfigError:
        raise
    except Exception as error:  # a failed download raises a bare Exception
        text = " ".join(str(error).split()).rstrip(".")
        # With a checksum Keras says so itself, without one h5py cannot open the file.
        if "corrupted file" in text or "open file" in text:
            raise ConfigError(
                f"trainer.weights: expected the whole file of ImageNet weights of {name}, received "
                f"a damaged one ({text}). Delete it from the cache of Keras (~/.keras/models) and "
                "run again."
            ) from error
        if "URL fetch failure" in text or isinstance(error, OSError):
            raise ConfigError(
                f"trainer.weights: expected ImageNet weights of {name} to be downloaded or kept in "
                f"the cache of Keras (~/.keras/models), received neither ({text}). Connect "
                "this machine to the network, copy the file there, or set trainer.weights to null "
                "or a file of your own."
            ) from error
        if isinstance(error, ValueError | TypeError):
            raise ConfigError(f"trainer.model: Keras refuses to build {name}: {text}.") from error
        raise


def _further_arguments(name: str, options: BackboneOptions) -> dict[str, Any]:
    known = set(inspect.signature(application_builder(name)).parameters) - TAKEN
    unknown = sorted(set(options.arguments) - known)
    if unknown:
        expected = f"one of {', '.join(sorted(known))}" if known else f"none, {name} has no others"
        raise ConfigError(
            f"trainer.model_options.arguments: expected {expected}, received {', '.join(unknown)}."
        )
    return options.arguments
