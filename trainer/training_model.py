"""The model that is fitted: the network, and the augmentation that it meets in training alone."""

from typing import Any

import keras

Batch = dict[str, Any]


class TrainingModel(keras.Model):
    """Augments pixels and targets together, then calls the network.

    It is fitted on x = {"pixels": float32 [batch, size, size, 3] in 0..255, "targets": float32
    [batch, classes]} and y = the targets once more. Augmentation may mix images, and their
    targets with them: the loss is of the mixed targets, the metrics of y. Outside of training
    the pixels reach the network as they are.
    """

    def __init__(self, network: keras.Model, augmentation: keras.layers.Layer) -> None:
        super().__init__(name="training")
        self.network = network
        self.augmentation = augmentation
        self.built = True  # both are

    def call(self, inputs: Batch, training: bool = False) -> Batch:
        """Return the probabilities and the targets that they are held against."""
        pixels, targets = inputs["pixels"], inputs["targets"]
        if training:
            pixels, targets = self.augmentation(pixels, targets)
        return {"probabilities": self.network(pixels, training=training), "targets": targets}

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return the loss of the probabilities against the targets of the same images."""
        return super().compute_loss(
            x, y_pred["targets"], y_pred["probabilities"], sample_weight, training
        )

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, Any]:
        """Return the metrics of the probabilities against the labels as they came."""
        metrics: dict[str, Any] = super().compute_metrics(
            x, y, y_pred["probabilities"], sample_weight
        )
        return metrics
