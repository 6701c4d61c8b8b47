"""The model that is fitted: the network, with the augmentation in front in training."""

from typing import Any

import keras

from trainer.array_types import FloatArray

Batch = dict[str, Any]


class TrainingModel(keras.Model):
    """Augments pixels and targets together, then calls the network.

    It is fitted on x = {"pixels": uint8 [batch, size, size, 3], "targets": float32
    [batch, classes]} and y = the targets once more. Augmentation may mix images, and their
    targets with them: the loss is of the mixed targets, the metrics of y. Outside of training
    the pixels reach the network as they are.
    """

    def __init__(
        self,
        network: keras.Model,
        augmentation: keras.layers.Layer,
        class_weights: FloatArray | None = None,
    ) -> None:
        super().__init__(name="training")
        self.network = network
        self.augmentation = augmentation
        self.step_plan: Any = None  # the StepPlan that callbacks count steps by, while it is fitted
        self.used: dict[str, str] = {}  # the values that the config may leave to auto
        self._class_weights = class_weights  # float32 [classes]; None: all the same
        # Steps since the first NaN loss: Python sees only the end of several steps.
        self.steps_since_nan = self.add_weight(
            shape=(), dtype="int", initializer="zeros", trainable=False, name="steps_since_nan"
        )
        self.built = True  # network and augmentation are built

    def call(self, inputs: Batch, training: bool = False) -> Batch:
        """Return the probabilities and the targets that they are held against."""
        pixels, targets = keras.ops.cast(inputs["pixels"], "float32"), inputs["targets"]
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
        if training and self._class_weights is not None:
            sample_weight = keras.ops.matmul(y_pred["targets"], self._class_weights)
        loss = super().compute_loss(
            x, y_pred["targets"], y_pred["probabilities"], sample_weight, training
        )
        if training and self.steps_per_execution > 1:
            self._note(loss)
        return loss

    def _note(self, loss: Any) -> None:
        is_lost = keras.ops.logical_not(keras.ops.all(keras.ops.isfinite(loss)))
        is_lost = keras.ops.logical_or(is_lost, self.steps_since_nan > 0)
        count = self.steps_since_nan + 1
        self.steps_since_nan.assign(count * keras.ops.cast(is_lost, count.dtype))

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, Any]:
        """Return the metrics of the probabilities against the labels as they came."""
        metrics: dict[str, Any] = super().compute_metrics(
            x, y, y_pred["probabilities"], sample_weight
        )
        return metrics

    def create_metrics(self) -> None:
        """Create the variables of loss and metrics, which Keras may leave to the first batch."""
        uniform = keras.ops.full((1, self.network.output_shape[-1]), 1.0)
        self.compute_metrics(None, uniform, {"probabilities": uniform})
        self.reset_metrics()


class ReplicatedTrainingModel(TrainingModel):
    """The same for several replicas of TensorFlow's."""

    def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        """Build from an empty batch of one image.

        Keras's own takes the mean over what the replicas are given, which fails where a batch
        that they cannot share evenly comes first (and on several machines, keras-team/keras#20585).
        """
        size, classes = self.network.input_shape[1:], self.network.output_shape[-1]
        targets = keras.ops.zeros((1, classes))
        pixels = keras.ops.zeros((1, *size), "uint8")
        with self.distribute_strategy.scope():
            self._symbolic_build(data_batch=({"pixels": pixels, "targets": targets}, targets))


class MultiWorkerTrainingModel(ReplicatedTrainingModel):
    """The same for several machines: Keras 3's `fit` fails on logs without an axis."""

    def train_step(self, data: Any) -> dict[str, Any]:
        """Return logs with an axis, along which Keras averages over the machines."""
        return _with_axis(super().train_step(data))

    def test_step(self, data: Any) -> dict[str, Any]:
        """Return logs with an axis, as `train_step` does."""
        return _with_axis(super().test_step(data))


def _with_axis(logs: dict[str, Any]) -> dict[str, Any]:
    return {name: keras.ops.expand_dims(value, 0) for name, value in logs.items()}
