"""The `preprocessing` section of pipeline.yaml."""

from typing import Annotated, Literal

from pydantic import Field

from contracts.config.section import Section


class PreprocessingConfig(Section):
    """The one pixel preprocessing, for training and serving."""

    image_size_px: Annotated[int, Field(ge=8, le=4096)] = 96
    resize: Literal["crop", "pad", "stretch"] = "crop"
