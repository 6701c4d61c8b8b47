"""Without TensorFlow: a network with everything that has a state goes on to the same end."""

import pytest

from tests.trainer.processes import JAX, WITHOUT_TENSORFLOW, finished, started

pytest.importorskip("jax")

# Twelve steps, six an epoch: the training is interrupted within the second one.
PROGRAM = """
from pathlib import Path
import keras
import numpy as np
from contracts.augmentation import AugmentationConfig
from contracts.training import TrainerConfig, TrainingRecipe
from trainer.checkpoints import Checkpoint
from trainer.data import ImageDataset
from trainer.train import train

recipe = TrainingRecipe(
    trainer=TrainerConfig(
        model="convnext_atto",
        model_options={
            "depths": [1, 1], "widths": [4, 8], "stem_patch_px": 2,
            "drop_path_rate": 0.2, "head_dropout": 0.2,
        },
        epochs=2, batch_size=16, ema_momentum=0.9, gradient_accumulation_steps=2,
        steps_per_execution=2, checkpoint_every_s=1e-9,
    ),
    augmentation=AugmentationConfig(preset="strong", mixup=0.4),
    seed=3,
)
dataset = ImageDataset.read(sys.argv[1])

class InterruptAfter(keras.callbacks.Callback):
    def __init__(self, calls):
        super().__init__()
        self.left = calls

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt

whole = train(recipe, dataset)
assert whole.steps == 12
checkpoint = Checkpoint(Path(sys.argv[2]))
try:
    train(recipe, dataset, [InterruptAfter(4)], checkpoint)
except KeyboardInterrupt:
    assert checkpoint.progress().step == 8, checkpoint.progress()
resumed = train(recipe, dataset, [], checkpoint)
assert resumed.steps == 12
for metric, values in whole.history.items():
    np.testing.assert_allclose(resumed.history[metric], values, rtol=1e-6, err_msg=metric)
for one, other in zip(resumed.network.weights, whole.network.weights, strict=True):
    np.testing.assert_array_equal(np.asarray(one), np.asarray(other), err_msg=one.path)
assert keras.backend.backend() == "jax" and "tensorflow" not in sys.modules
print("the same weights")
"""


def test_a_convnext_that_was_interrupted_ends_with_the_same_weights(dataset, tmp_path):
    words = (dataset.uri, tmp_path)
    process = started(*words, code=WITHOUT_TENSORFLOW, program=PROGRAM, **JAX)
    assert "the same weights" in finished(process)
