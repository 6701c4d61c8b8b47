"""Images to change, and the layer called as Keras calls it: eagerly, in a graph, through XLA."""

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf

from contracts.config.augmentation.config import AugmentationConfig
from trainer.augmentation import Augmentation

SIZE_PX = 16
LABELS = ("cat", "dog")

MODES = {
    "eager": lambda layer: layer,
    "graph": lambda layer: tf.function(lambda *batch: layer(*batch)),
    "xla": lambda layer: tf.function(lambda *batch: layer(*batch), jit_compile=True),
}


def config(**section) -> AugmentationConfig:
    return AugmentationConfig.model_validate({"preset": "none", **section})


def layer_of(seed: int = 0, **section) -> Augmentation:
    return Augmentation(config(**section), LABELS, seed)


def only(name: str, low: float | None = None, high: float | None = None, **more) -> dict:
    """Return the section that applies one operation to every image."""
    given = {"probability": 1.0, **more}
    if low is not None:
        given["range"] = [low, low if high is None else high]
    return {"operations": {name: given}}


@pytest.fixture(scope="session")
def pixels() -> np.ndarray:
    """Return smooth images without any symmetry, float32 [64, SIZE_PX, SIZE_PX, 3], whole."""
    coarse = np.random.default_rng(0).uniform(20, 235, (64, 4, 4, 3)).astype("float32")
    smooth = tf.image.resize(coarse, (SIZE_PX, SIZE_PX), "bicubic").numpy()
    return np.clip(np.rint(smooth), 0, 255).astype("float32")


@pytest.fixture(scope="session")
def targets() -> np.ndarray:
    return np.eye(2, dtype="float32")[np.arange(64) % 2]


@pytest.fixture(scope="session")
def augmented(pixels, targets) -> Callable[..., np.ndarray]:
    """Return `augmented(seed=0, mode="eager", **section)`: the images after the policy."""

    def run(seed: int = 0, mode: str = "eager", **section) -> np.ndarray:
        changed, _ = MODES[mode](layer_of(seed, **section))(pixels, targets)
        return np.asarray(changed)

    return run
