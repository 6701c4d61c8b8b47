"""The `explanation` section of pipeline.yaml."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from contracts.config.section import Section


class ExplainedImages(Section):
    """Images that the pictures show."""

    count: Annotated[int, Field(ge=1, le=32, description="of the data, in a picture")] = 8
    chosen: Annotated[
        tuple[Annotated[Path, Field(strict=False, description="image file")], ...],
        Field(strict=False, max_length=8, description="files whose feature maps are drawn too"),
    ] = ()


class ExplanationConfig(Section):
    """Pictures of what a model has learned."""

    pictures: bool = True
    images: ExplainedImages = ExplainedImages()
