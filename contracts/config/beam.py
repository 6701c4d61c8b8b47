"""The `beam` section of pipeline.yaml."""

from typing import Annotated, Literal

from pydantic import Field

from contracts.config.section import Count, Section


class BeamConfig(Section):
    """Where Beam runs, and how many processes decode images there."""

    runner: Literal["direct"] = "direct"
    decode_processes: Annotated[Count | None, Field(description="null: one a core")] = None
