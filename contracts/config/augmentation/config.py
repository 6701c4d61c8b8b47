"""The `augmentation` section of pipeline.yaml."""

from typing import Annotated, Literal

from pydantic import Field

from contracts.config.augmentation.operations import Operations
from contracts.config.section import Section

Preset = Literal["none", "light", "medium", "strong", "paper"]


class RandAugmentConfig(Section):
    """So many random operations an image, at one magnitude.

    Source: Cubuk et al., RandAugment, 2020, arXiv:1909.13719.
    """

    operations: Annotated[int, Field(ge=0, le=11, description="operations an image; 0: none")] = 2
    magnitude: Annotated[float, Field(ge=0, le=10, description="10: the strongest")] = 9.0
    deviation: Annotated[
        float, Field(ge=0, le=10, description="standard deviation of the magnitude")
    ] = 0.5


class MaterialiseConfig(Section):
    """Changed copies of the images of small classes, written once as further training examples."""

    min_examples: Annotated[
        int, Field(ge=0, description="training images that each class is filled up to; 0: off")
    ] = 0


class AugmentationConfig(Section):
    """Random changes of the training images, new in every epoch; never of any other split.

    A key that is null takes the preset's value.
    """

    preset: Preset = "light"
    operations: Operations = Operations()
    rand_augment: RandAugmentConfig | None = None
    mixup: Annotated[
        float | None, Field(ge=0, le=10, description="alpha of the Beta distribution; 0: off")
    ] = None
    cutmix: Annotated[
        float | None, Field(ge=0, le=10, description="alpha of the Beta distribution; 0: off")
    ] = None
    backend: Literal["keras", "albumentations"] = "keras"
    probe: Literal["warn", "off"] = "warn"
    materialise: MaterialiseConfig = MaterialiseConfig()

    def of_batches(self) -> "AugmentationConfig":
        """Return the section with the defaults of the keys that only the Augmenter reads."""
        left_out = {"probe": "warn", "materialise": MaterialiseConfig()}
        return self.model_copy(update=left_out)
