"""A model of keras.applications from its training in two phases to what is served."""

import keras
import numpy as np
import pytest

from serving.predictor import Predictor
from tests.conftest import encoded
from tests.trainer.conftest import arrays, stripes, write_images
from tests.trainer.training.test_train import recipe
from trainer.export.saved_model import export
from trainer.training.train import train

BACKBONE, HEAD = "conv_pw_3", "probabilities"


class Watch(keras.callbacks.Callback):
    """Keeps the weights of backbone and head before the first epoch and after each."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = []

    def on_epoch_begin(self, epoch, logs=None):
        if not self.seen:
            self._look()

    def on_epoch_end(self, epoch, logs=None):
        self._look()

    def _look(self):
        layers = (self.model.network.get_layer(name) for name in (BACKBONE, HEAD))
        self.seen.append([layer.get_weights()[0] for layer in layers])

    def has_moved(self, epoch: int) -> list[bool]:
        pairs = zip(self.seen[epoch], self.seen[epoch + 1], strict=True)
        return [not np.array_equal(before, after) for before, after in pairs]


def test_a_backbone_is_fine_tuned_in_two_phases_and_served_as_it_was_trained(tmp_path):
    rng = np.random.default_rng(0)
    enlarged = np.ones((2, 2, 1), np.uint8)
    splits = {
        split: [(np.kron(stripes(label, rng), enlarged), label) for label in [0, 1] * count]
        for split, count in {"train": 16, "validation": 4, "test": 4}.items()
    }
    dataset = write_images(tmp_path / "data", ("horizontal", "vertical"), splits, size_px=32)
    watch = Watch()
    trained = train(
        recipe(
            model="MobileNet",
            model_options={"arguments": {"alpha": 0.25}},
            epochs=2,
            fine_tuning={"frozen_epochs": 1},
        ),
        dataset,
        [watch],
    )
    assert [watch.has_moved(epoch) for epoch in (0, 1)] == [[False, True], [True, True]]
    assert np.isfinite(trained.history["val_loss"]).all()
    export(trained.network, dataset, str(tmp_path / "model"))
    ((pixels, _),) = arrays(dataset, "test")
    served = Predictor(tmp_path / "model").predict([encoded(one.astype("uint8")) for one in pixels])
    rows = [[one.probabilities[label] for label in dataset.labels] for one in served]
    np.testing.assert_allclose(rows, trained.network(pixels), atol=1e-5)
    assert [one.score for one in served] == pytest.approx(np.max(rows, axis=1))
