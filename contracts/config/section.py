"""What every section of pipeline.yaml is."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from contracts.system.unicode_form import composed


class Section(BaseModel):
    """One section of pipeline.yaml: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


Count = Annotated[int, Field(ge=1)]
Fraction = Annotated[float, Field(ge=0, le=1)]
# The name of a class, in the Unicode form of the data's labels.
Label = Annotated[str, AfterValidator(composed)]
