"""The `evaluation` section of pipeline.yaml."""

from typing import Annotated, Final, Literal

from pydantic import Field

from contracts.config.section import Fraction, Section

LARGEST_CLASS: Final = "largest_class"


class EvaluationConfig(Section):
    """What a candidate must reach on the test split, which training never sees."""

    min_accuracy: Fraction | Literal["largest_class"] = LARGEST_CLASS
    max_accuracy_drop: Annotated[
        Fraction, Field(description="largest drop of accuracy below the champion's")
    ] = 0.01
