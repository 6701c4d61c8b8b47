"""A tiny exported model whose answers can be told from the pixels."""

from pathlib import Path

import keras
import numpy as np
import pytest

from contracts.artifacts.image_dataset import ImageDataset
from contracts.config.preprocessing import PreprocessingConfig
from trainer.export.saved_model import export

SIZE_PX = 8
LABELS = ("bright", "dark")


def brightness_network() -> keras.Model:
    """Return a network: P("bright") is the sigmoid of (mean value - 128) / 16."""
    head = keras.layers.Dense(len(LABELS), "softmax")
    network = keras.Sequential(
        [keras.Input((SIZE_PX, SIZE_PX, 3)), keras.layers.GlobalAveragePooling2D(), head]
    )
    slope = 1 / 16 / 3 / 2  # three channels, two classes
    head.set_weights([np.array([[slope, -slope]] * 3), np.array([-4.0, 4.0])])
    return network


@pytest.fixture(scope="session")
def model(tmp_path_factory) -> Path:
    """Return the folder of its SavedModel; copy it before changing it."""
    folder = tmp_path_factory.mktemp("serving") / "model"
    dataset = ImageDataset("", LABELS, PreprocessingConfig(image_size_px=SIZE_PX), {})
    export(brightness_network(), dataset, str(folder))
    return folder
