"""What every section of pipeline.yaml is."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """One section of pipeline.yaml: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
