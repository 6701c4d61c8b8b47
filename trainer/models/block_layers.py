"""Layers of ConvNeXt's blocks that Keras does not have."""

import keras
from keras import layers, ops

EPSILON = 1e-6


@keras.saving.register_keras_serializable("imgpipe")
class GlobalResponseNormalization(layers.Layer):
    """Make channels compete: scale each by its share of the image's response.

    Woo et al., 2023, arXiv:2301.00808, 2.3. Maps [batch, height, width, channels] to
    the same shape and dtype.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create gamma and beta, float32 [channels], at zero: the layer begins as identity."""
        shape = (input_shape[-1],)
        self.gamma = self.add_weight(shape=shape, initializer="zeros", name="gamma")
        self.beta = self.add_weight(shape=shape, initializer="zeros", name="beta")

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Return gamma * (inputs * response) + beta + inputs."""
        squares = ops.sum(ops.square(ops.cast(inputs, "float32")), axis=(1, 2), keepdims=True)
        # The small constant keeps the gradient of the root finite where a channel is all zero.
        norm = ops.sqrt(squares + EPSILON**2)
        response = norm / (ops.mean(norm, axis=-1, keepdims=True) + EPSILON)
        response = ops.cast(response, inputs.dtype)
        return self.gamma * (inputs * response) + self.beta + inputs


@keras.saving.register_keras_serializable("imgpipe")
class StochasticDepth(layers.Layer):
    """Drop a residual branch for whole images in training (Huang et al., 2016, arXiv:1603.09382).

    Maps [batch, ...] to the same shape; kept branches are scaled so that the mean stays.
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.rate = rate
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        """Return the inputs, in training with a share `rate` of the images set to zero."""
        if not training:
            return inputs
        keep = 1.0 - self.rate
        shape = (ops.shape(inputs)[0],) + (1,) * (len(inputs.shape) - 1)
        kept = ops.floor(keep + keras.random.uniform(shape, seed=self.seed_generator))
        return inputs * ops.cast(kept / keep, inputs.dtype)

    def get_config(self) -> dict[str, object]:
        """Return what `from_config` takes."""
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}


@keras.saving.register_keras_serializable("imgpipe")
class LayerScale(layers.Layer):
    """Scale each channel by a learnt factor (Touvron et al., 2021, arXiv:2103.17239).

    Maps [..., channels] to the same shape and dtype.
    """

    def __init__(self, init: float, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.init = init

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create gamma, float32 [channels], at `init`."""
        initializer = keras.initializers.Constant(self.init)
        self.gamma = self.add_weight((input_shape[-1],), initializer=initializer, name="gamma")

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Return gamma * inputs."""
        return self.gamma * inputs

    def get_config(self) -> dict[str, object]:
        """Return what `from_config` takes."""
        return {**super().get_config(), "init": self.init}
