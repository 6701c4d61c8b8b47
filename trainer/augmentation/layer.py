"""The augmentation of a policy as one Keras layer."""

from collections.abc import Sequence

import keras

from contracts.config.augmentation.config import AugmentationConfig
from contracts.config.augmentation.policy import Policy, resolve_policy
from trainer.augmentation import colour, geometry, texture, tone
from trainer.augmentation.mixing import Mixing
from trainer.augmentation.operation_draws import OperationDraw, Tensor, blended, operation_sequence

# Operations that come after geometry and colour.
TEXTURES = {
    "auto_contrast": tone.auto_contrast,
    "equalize": tone.equalize,
    "posterize": tone.posterize,
    "solarize": tone.solarize,
    "sharpness": texture.sharpen,
    "blur": texture.blur,
    "noise": texture.add_noise,
    "jpeg_compression": texture.compress,
    "random_erasing": texture.erase,
}


class Augmentation(keras.layers.Layer):
    """The random changes of the resolved policy, drawn anew for every image and every call.

    Maps pixels, float32 [batch, size, size, 3] in 0..255, and targets, float32
    [batch, classes] of probabilities, to the same. It is called in training alone. All that is
    geometric becomes one affine map an image and one resampling, all that is colour one matrix.

    The state of its random numbers is one of its variables, and is saved with its weights: the
    same seed gives the same changes, also after a restart from a checkpoint.

    Raises:
      ComponentError: an exception names a class that is not there.
    """

    def __init__(
        self, config: AugmentationConfig | Policy, labels: Sequence[str], seed: int
    ) -> None:
        super().__init__(name="augmentation", dtype="float32")
        policy = config if isinstance(config, Policy) else resolve_policy(config)
        policy.require_known_exceptions(labels)
        if isinstance(config, AugmentationConfig) and config.backend != "keras":
            policy = Policy()  # the other backend has changed the batches before they come here
        self.policy = policy
        self._operations = operation_sequence(self.policy, labels)
        self._mixing = Mixing(self.policy.mixup, self.policy.cutmix)
        self._seeds = keras.random.SeedGenerator(seed)
        self.built = True

    def call(self, pixels: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return changed pixels and the targets that belong to them."""
        if self.policy.is_empty:
            return pixels, targets
        pixels = keras.ops.cast(pixels, "float32")
        if self._operations.operations:
            pixels = self._changed(pixels, self._operations.draw(targets, self._seeds))
        if self._mixing.is_on:
            pixels, targets = self._mixing(pixels, targets, self._seeds)
        return pixels, targets

    def _changed(self, pixels: Tensor, draws: Sequence[OperationDraw]) -> Tensor:
        pixels = geometry.resample(pixels, [draw for draw in draws if draw.name in geometry.MAPS])
        pixels = colour.recolour(pixels, [draw for draw in draws if draw.name in colour.MATRICES])
        for draw in draws:
            if draw.name in TEXTURES:
                changed = TEXTURES[draw.name](pixels, draw, self._seeds)
                pixels = blended(pixels, changed, draw.is_applied)
        return pixels

    def save_own_variables(self, store: dict[str, Tensor]) -> None:
        """Save the state of the random numbers with the weights."""
        store["seeds"] = self._seeds.state.numpy()

    def load_own_variables(self, store: dict[str, Tensor]) -> None:
        """Go on with the random numbers where they were saved."""
        self._seeds.state.assign(store["seeds"])
