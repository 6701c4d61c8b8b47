"""The `trainer` section of pipeline.yaml."""

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, JsonValue

from contracts.augmentation import AugmentationConfig
from contracts.model_options import MODEL_OPTIONS
from contracts.section import Count, Section
from contracts.users_code import UsersCode

# `trainer.weights` that are no file.
IMAGENET: Final = "imagenet"


class FineTuningConfig(Section):
    """A first phase that trains the head alone, and what the second one trains."""

    frozen_epochs: Annotated[
        int, Field(ge=0, description="epochs in which the head alone is trained; 0: no such phase")
    ] = 0
    learning_rate: Annotated[
        float | None,
        Field(gt=0, allow_inf_nan=False, description="of the second phase; null: the first's"),
    ] = None
    trainable_from: Annotated[
        str | None,
        Field(min_length=1, description="first layer of the second phase; null: every layer"),
    ] = None


class TrainerConfig(Section):
    """The model and how it is trained."""

    model: str = "cnn"
    model_options: dict[str, JsonValue] = {}
    weights: Annotated[
        str | None,
        Field(description="imagenet, or the path of a .weights.h5 or .keras file; null: random"),
    ] = None
    fine_tuning: FineTuningConfig = FineTuningConfig()
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

    def users_model(self) -> UsersCode | None:
        """Return the function that builds a model of the user's own; None for another one."""
        return UsersCode.parse(self.model)

    def users_code(self) -> tuple[UsersCode, ...]:
        """Return all code of the user's own that the training runs."""
        users_model = self.users_model()
        return (users_model,) if users_model else ()

    def weights_file(self) -> Path | None:
        """Return the file that the weights begin with, if it is one."""
        return Path(self.weights) if self.weights not in (None, IMAGENET) else None

    def users_files(self) -> tuple[Path, ...]:
        """Return the files besides code that the training follows from."""
        file = self.weights_file()
        return (file,) if file else ()

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
