"""Another backend of Keras trains what TensorFlow does, and goes on to the same end."""

import json

import keras
import pytest
import yaml

from contracts.config.trainer.config import TrainerConfig
from tests.trainer.conftest import SIZE_PX
from tests.trainer.processes import CONFIG, OTHER_BACKENDS, finished, started, training, weights
from trainer.models import build_model


@pytest.fixture(scope="module")
def beginning(tmp_path_factory) -> str:
    """Return the option to begin with the same weights everywhere."""
    path = tmp_path_factory.mktemp("weights") / "first.weights.h5"
    keras.utils.set_random_seed(1)
    config = TrainerConfig.model_validate(yaml.safe_load(CONFIG)["trainer"])
    build_model(config, SIZE_PX, 2).save_weights(path)
    return f"--set=trainer.weights={path}"


@pytest.fixture(scope="module")
def with_tensorflow(tmp_path_factory, dataset, beginning):
    folder = tmp_path_factory.mktemp("tensorflow")
    finished(training(folder, dataset, beginning))
    return folder


@pytest.mark.parametrize(("code", "variables"), OTHER_BACKENDS)
def test_the_same_weights_come_to_the_same(
    tmp_path, dataset, beginning, with_tensorflow, code, variables
):
    out = finished(training(tmp_path, dataset, beginning, code=code, **variables))
    assert "12 of 12 steps (epoch 2/2" in out
    ours, theirs = (
        json.loads((folder / "out" / "training.json").read_text())
        for folder in (tmp_path, with_tensorflow)
    )
    assert ours["steps"] == theirs["steps"] == 12
    assert ours["history"].keys() == theirs["history"].keys()
    for metric, values in theirs["history"].items():
        assert ours["history"][metric] == pytest.approx(values, rel=1e-3, abs=1e-5), metric
    assert max(ours["history"]["val_accuracy"]) > 0.9
    ours, theirs = weights(tmp_path), weights(with_tensorflow)
    assert ours.keys() == theirs.keys()
    for name, one in ours.items():
        assert one == pytest.approx(theirs[name], rel=1e-2, abs=1e-3), name


# Twelve steps, six an epoch: the training is interrupted within the second one.
PROGRAM = """
from pathlib import Path
import keras
import numpy as np
from contracts.config.augmentation.config import AugmentationConfig
from contracts.config.trainer.config import TrainerConfig, TrainingRecipe
from trainer.training.checkpoints import Checkpoint
from contracts.artifacts.image_dataset import ImageDataset
from trainer.training import construction
from trainer.training.train import train

construction.STEPS_PER_EXECUTION = 2
recipe = TrainingRecipe(
    trainer=TrainerConfig(
        model="convnext_atto",
        model_options={
            "depths": [1, 1], "widths": [4, 8], "stem_patch_px": 2,
            "drop_path_rate": 0.2, "head_dropout": 0.2,
        },
        epochs=2, batch_size=16, ema_momentum=0.9, gradient_accumulation_steps=2,
        checkpoint_every_s=1e-9,
    ),
    augmentation=AugmentationConfig(preset="strong", mixup=0.4),
    seed=3,
)
dataset = ImageDataset.read(sys.argv[1])

class Interrupt(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == (1, 1):
            raise KeyboardInterrupt

whole = train(recipe, dataset)
assert whole.steps == 12
checkpoint = Checkpoint(Path(sys.argv[2]))
try:
    train(recipe, dataset, [Interrupt()], checkpoint)
except KeyboardInterrupt:
    assert checkpoint.progress().step == 8, checkpoint.progress()
else:
    raise AssertionError("it was not interrupted")
resumed = train(recipe, dataset, [], checkpoint)
assert resumed.steps == 12
for metric, values in whole.history.items():
    np.testing.assert_allclose(resumed.history[metric], values, rtol=1e-6, err_msg=metric)
for one, other in zip(resumed.network.weights, whole.network.weights, strict=True):
    np.testing.assert_array_equal(np.asarray(one), np.asarray(other), err_msg=one.path)
assert keras.backend.backend() == sys.argv[3] and "tensorflow" not in sys.modules
print("the same weights")
"""


@pytest.mark.parametrize(("code", "variables"), OTHER_BACKENDS)
def test_a_convnext_that_was_interrupted_ends_with_the_same_weights(
    dataset, tmp_path, code, variables
):
    words = (dataset.uri, tmp_path, variables["KERAS_BACKEND"])
    process = started(*words, code=code, program=PROGRAM, **variables)
    assert "the same weights" in finished(process)
