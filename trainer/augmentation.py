"""Random changes of training images as Keras layers, drawn anew for every image and epoch."""

import keras

from contracts.config import AugmentationConfig

# Largest shift of the `light` preset, as a part of the image's side.
LIGHT_SHIFT = 0.1


def augmentation(config: AugmentationConfig, seed: int) -> list[keras.Layer]:
    """Return the layers of a preset, in order; outside of training they change nothing.

    Each maps float32 [batch, size, size, 3] in 0..255 to the same. `light` mirrors half of
    the images and crops them: each is moved by up to a tenth of its side, the border
    reflected (the padded crop of He et al., 2015, arXiv:1512.03385, 4.2).
    """
    if config.preset == "none":
        return []
    return [
        keras.layers.RandomFlip("horizontal", seed=seed, name="flip_horizontal"),
        keras.layers.RandomTranslation(
            LIGHT_SHIFT, LIGHT_SHIFT, fill_mode="reflect", seed=seed + 1, name="shifted_crop"
        ),
    ]
