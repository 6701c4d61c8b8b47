"""The `augmentation` section of pipeline.yaml."""

from typing import Literal

from contracts.section import Section


class AugmentationConfig(Section):
    """Random changes of the training images, new in every epoch; never of any other split."""

    preset: Literal["none", "light"] = "light"
