"""The `trainer` section of pipeline.yaml."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from contracts.augmentation import AugmentationConfig
from contracts.model_options import MODEL_OPTIONS
from contracts.section import Count, Section


class TrainerConfig(Section):
    """The model and how it is trained."""

    model: str = "cnn"
    model_options: dict[str, JsonValue] = {}
    epochs: Count = 20
    batch_size: Count = 32
    learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1e-3
    weight_decay: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.004
    warmup_epochs: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.5
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    early_stopping_patience: Annotated[
        int, Field(ge=0, description="epochs without a better validation loss; 0: never stop early")
    ] = 5
    precision: Literal["auto", "float32", "mixed_bfloat16", "mixed_float16"] = "auto"

    def users_model(self) -> tuple[str, str] | None:
        """Return module and function of a model of the user's own; None for a built-in one."""
        module, separator, function = self.model.partition(":")
        return (module, function) if separator else None

    def users_code(self) -> tuple[str, ...]:
        """Return the package that a model of the user's own comes from, if it is one."""
        users_model = self.users_model()
        return (users_model[0].partition(".")[0],) if users_model else ()

    def options(self) -> Section:
        """Return `model_options` as the typed options of a built-in `model`.

        Raises:
          KeyError: `model` is not a built-in one.
          pydantic.ValidationError: an option is unknown or has a wrong value.
        """
        return MODEL_OPTIONS[self.model].model_validate(self.model_options)


class TrainingRecipe(Section):
    """What the Trainer component needs of the config."""

    trainer: TrainerConfig
    augmentation: AugmentationConfig
    seed: int
