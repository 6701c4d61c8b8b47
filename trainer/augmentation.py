"""Random changes of training images as Keras layers, drawn anew for every image and epoch."""

from collections.abc import Sequence

import keras

from contracts.augmentation import AugmentationConfig

# Largest shift of the `light` preset, as a part of the image's side.
LIGHT_SHIFT = 0.1


class Augmentation(keras.layers.Layer):
    """The random changes of a preset, one after the other.

    Maps pixels, float32 [batch, size, size, 3] in 0..255, and targets, float32
    [batch, classes] of probabilities, to the same. It is called in training alone.
    """

    def __init__(self, config: AugmentationConfig, labels: Sequence[str], seed: int) -> None:
        super().__init__(name="augmentation", dtype="float32")
        self._layers_in_order = _preset(config, seed)

    def call(
        self, pixels: keras.KerasTensor, targets: keras.KerasTensor
    ) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Return changed pixels and the targets that belong to them."""
        for layer in self._layers_in_order:
            pixels = layer(pixels, training=True)
        return pixels, targets


def _preset(config: AugmentationConfig, seed: int) -> list[keras.Layer]:
    """Return the layers of a preset, in order.

    `light` mirrors half of the images and crops them: each is moved by up to a tenth of its
    side, the border reflected (the padded crop of He et al., 2015, arXiv:1512.03385, 4.2).
    """
    if config.preset == "none":
        return []
    return [
        keras.layers.RandomFlip("horizontal", seed=seed, name="flip_horizontal"),
        keras.layers.RandomTranslation(
            LIGHT_SHIFT, LIGHT_SHIFT, fill_mode="reflect", seed=seed + 1, name="shifted_crop"
        ),
    ]
