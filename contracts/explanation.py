"""The `explanation` section of pipeline.yaml."""

from typing import Annotated

from pydantic import Field

from contracts.section import Section


class ExplanationConfig(Section):
    """Pictures of what a model has learned."""

    pictures: bool = True
    images: Annotated[int, Field(ge=1, le=32, description="of the data, in a picture")] = 8
