"""Options of which every stage of a network may have its own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


@dataclass(frozen=True)
class PerStage:
    """Marks a field that is one `item` for all stages, or a list (read as a tuple) of one a stage.

    As a union of pydantic's own, every wrong value would be reported once for each of the two.
    """

    item: Any

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Return the schema of a list that also accepts a single value."""
        item = handler.generate_schema(self.item)
        entries = core_schema.tuple_schema(
            [item], variadic_item_index=0, min_length=1, strict=False
        )
        return core_schema.no_info_wrap_validator_function(
            _one_or_each,
            entries,
            serialization=core_schema.plain_serializer_function_ser_schema(lambda value: value),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Return the JSON schema for editors: an item, or a list of items."""
        entries: dict[str, Any] = handler(schema)
        item = entries["items"]
        return {"anyOf": [item, {"type": "array", "items": item, "minItems": 1}]}


def _one_or_each(value: Any, validate: Callable[[Any], tuple[Any, ...]]) -> Any:
    if isinstance(value, list | tuple):
        return validate(value)
    try:
        return validate((value,))[0]
    except ValidationError as error:
        raise PydanticCustomError("per_stage", "one value, or a list of one a stage") from error


def for_stages(value: Any, stages: int) -> tuple[Any, ...]:
    """Return the value of each stage of an option that has one for all of them, or a list."""
    return value if isinstance(value, tuple) else (value,) * stages
