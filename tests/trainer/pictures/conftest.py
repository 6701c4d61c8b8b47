"""Networks whose answers are known, in each of Keras' three styles."""

from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from contracts.artifacts.image_dataset import ImageDataset
from contracts.config.explanation import ExplainedImages
from tests.trainer.conftest import SIZE_PX, write_images
from trainer.training.train import TrainedModel

LABELS = ("green", "red")
STYLES = ("functional", "sequential", "nested", "subclassed", "softmax layer", "own softmax")


class ColourFinder(keras.Model):
    """A subclassed model with its softmax in a layer or in its own code."""

    def __init__(self, convolution, head, softmax) -> None:
        super().__init__()
        self.convolution, self.head, self.softmax = convolution, head, softmax
        self.pool = layers.GlobalAveragePooling2D()

    def call(self, inputs):
        return self.softmax(self.head(self.pool(self.convolution(inputs / 255.0))))


def colour_finder(style: str) -> keras.Model:
    """Return a network that says red where red is, green where green is: by its weights."""
    convolution = layers.Conv2D(2, 1, use_bias=False, name="colours")
    head = layers.Dense(2, use_bias=False, name="head")
    inputs = keras.Input((SIZE_PX, SIZE_PX, 3))
    scaled = layers.Rescaling(1 / 255)(inputs)
    pool, softmax = layers.GlobalAveragePooling2D(), layers.Softmax()
    if style == "functional":
        head = layers.Dense(2, use_bias=False, activation="softmax", name="head")
        model = keras.Model(inputs, head(pool(convolution(scaled))))
    elif style == "sequential":
        head = layers.Dense(2, use_bias=False, activation="softmax", name="head")
        model = keras.Sequential([inputs, layers.Rescaling(1 / 255), convolution, pool, head])
    elif style == "nested":
        backbone = keras.Model(inputs, convolution(scaled), name="backbone")
        model = keras.Sequential([inputs, backbone, pool, head, softmax])
    elif style == "softmax layer":
        model = keras.Model(inputs, softmax(head(pool(convolution(scaled)))))
    else:
        own = keras.ops.softmax if style == "own softmax" else softmax
        model = ColourFinder(convolution, head, own)
    model(np.zeros((1, SIZE_PX, SIZE_PX, 3), np.float32))
    kernel = np.zeros((1, 1, 3, 2), np.float32)
    kernel[0, 0, 1, 0] = kernel[0, 0, 0, 1] = 1
    convolution.set_weights([kernel])
    head.set_weights([np.array([[20, -20], [-20, 20]], np.float32)])
    return model


def spot(colour: int, row: int, column: int) -> np.ndarray:
    """Return a black image with a coloured 4 x 4 square, uint8."""
    pixels = np.zeros((SIZE_PX, SIZE_PX, 3), np.uint8)
    pixels[row : row + 4, column : column + 4, colour] = 255
    return pixels


def write_dataset(folder: Path, splits: dict[str, list[tuple[np.ndarray, int]]]) -> ImageDataset:
    """Return a data set of these images."""
    return write_images(folder, LABELS, {"train": [], "validation": [], "test": [], **splits})


def trained(network: keras.Model) -> TrainedModel:
    """Return the network as `train` does."""
    history = {
        "loss": [1.0, 0.5],
        "accuracy": [0.5, 0.9],
        "val_loss": [1.1, 0.7],
        "val_accuracy": [0.4, 0.8],
        "learning_rate": [1e-3, 0.0],
    }
    return TrainedModel(network, history, 1, 2, 1.0, 32, 1e-3, None, "CPU", is_chief=True)


@pytest.fixture(scope="session")
def spots(tmp_path_factory) -> ImageDataset:
    """Return coloured squares; the sixth validation image is labelled wrong."""
    rng = np.random.default_rng(0)

    def images(count: int) -> list[tuple[np.ndarray, int]]:
        made = []
        for number in range(count):
            label = number % 2
            row, column = rng.integers(0, SIZE_PX - 4, 2)
            made.append((spot(1 - label, row, column), label))
        return made

    validation = images(12)
    validation[5] = (validation[5][0], 1 - validation[5][1])
    return write_dataset(
        tmp_path_factory.mktemp("spots"), {"train": images(20), "validation": validation}
    )


def some(count: int) -> ExplainedImages:
    """Return so many images of the data."""
    return ExplainedImages(count=count)
