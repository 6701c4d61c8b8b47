"""The `search` section of pipeline.yaml: which keys vary, and how the best values are found."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import Field, JsonValue

from contracts.config.key_paths import KeyPath
from contracts.config.section import Count, Section

SPACE: Final[KeyPath] = ("search", "space")

# The sections whose keys a search or a sweep may vary. The data is made once, before all trainings.
SECTIONS: Final = ("trainer", "augmentation")

# Keys of `augmentation` that only the Augmenter reads.
AUGMENTER_KEYS: Final = ("materialise", "probe")

Finite = Annotated[float, Field(allow_inf_nan=False)]


class SearchConfig(Section):
    """What `imgpipe sweep --search` looks for; an empty space is no search."""

    algorithm: Literal["random", "hyperband", "bayesian"] = "random"
    trials: Count = 20
    epochs: Annotated[Count | None, Field(description="of a trial; null: trainer.epochs")] = None
    objective: Literal["val_accuracy", "val_loss"] = "val_accuracy"
    space: Annotated[
        dict[str, JsonValue],
        Field(
            description="dotted key of `trainer` or `augmentation` -> list or {low, high, scale}"
        ),
    ] = {}

    def dimensions(self) -> dict[str, "Choices | NumberRange"]:
        """Return the space, typed.

        Raises:
          pydantic.ValidationError: a value is neither a list nor a range (`space_problems`).
        """
        return {
            key: tuple(given) if isinstance(given, list) else NumberRange.model_validate(given)
            for key, given in self.space.items()
        }


class NumberRange(Section):
    """Every number from `low` to `high`; integers where both are."""

    low: int | Finite
    high: int | Finite
    scale: Literal["linear", "log"] = "linear"


Choices = tuple[JsonValue, ...]
KeyValues = Mapping[str, JsonValue]  # dotted key -> value
