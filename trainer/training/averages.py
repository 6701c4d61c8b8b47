"""Moving averages (EMA) of the weights, which replace them while a model is evaluated."""

from typing import Any

import keras


class AveragedWeights(keras.callbacks.Callback):
    """Puts the moving average of the weights in their place while the model is evaluated."""

    def on_test_begin(self, logs: dict[str, float] | None = None) -> None:
        """Swap the average in."""
        swap_averages(self.model)

    def on_test_end(self, logs: dict[str, float] | None = None) -> None:
        """Swap the trained weights back in."""
        swap_averages(self.model)


def swap_averages(model: Any) -> None:
    """Exchange the weights and their moving averages, where the optimiser keeps any."""
    # With float16 Keras wraps it, to scale the loss.
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    if not optimizer.use_ema:
        return
    averages = optimizer._model_variables_moving_average  # Keras has no public name for them
    for weight, average in zip(model.trainable_variables, averages, strict=True):
        trained = keras.ops.convert_to_numpy(weight).copy()
        weight.assign(average)
        average.assign(trained)
