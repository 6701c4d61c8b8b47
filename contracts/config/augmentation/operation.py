"""What all operations of augmentation have: probability, range of strengths, classes to spare."""

from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from contracts.config.section import Fraction, Label, Section

# Lowest and highest strength, drawn uniformly between.
StrengthRange = tuple[float, float]


class AsGiven(Section):
    """A section that is written as it was given: a key that was left out stays out."""

    @model_serializer(mode="wrap")
    def _as_given(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = type(self).model_fields
        given = {fields[name].alias or name for name in self.model_fields_set}
        return {key: value for key, value in written(self).items() if key in given}


class Operation(AsGiven):
    """One random change: null takes the value of the preset, or else the operation's own."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    USUAL_PROBABILITY: ClassVar[float] = 0.5
    USUAL_RANGE: ClassVar[StrengthRange | None] = None  # None: there is nothing to draw
    UNIT: ClassVar[str] = ""

    probability: Annotated[Fraction | None, Field(description="of each image to be changed")] = None
    exceptions: Annotated[
        tuple[Label, ...],
        Field(strict=False, alias="except", description="classes that are never changed"),
    ] = ()

    def given_range(self) -> StrengthRange | None:
        """Return the range that was set, if one was."""
        low_and_high: StrengthRange | None = getattr(self, "range", None)
        return low_and_high
