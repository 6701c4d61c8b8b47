"""The `trainer` section of pipeline.yaml."""

from typing import Annotated, Final, Literal

from pydantic import Field, JsonValue

from contracts.augmentation import AugmentationConfig
from contracts.model_options import MODEL_OPTIONS
from contracts.section import Count, Section

# What a key says that leaves its value to a measurement.
AUTO: Final = "auto"

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]

# A class of the user's own: package.module:Class.
UsersClass = Annotated[
    str,
    Field(
        pattern=r"^[^\s:]+:[^\W\d]\w*$",
        description="a class of yours, `module:Class`",
    ),
]


class TrainerConfig(Section):
    """The model and how it is trained."""

    model: str = "cnn"
    model_options: dict[str, JsonValue] = {}
    epochs: Count = 20
    batch_size: Count | Literal["auto"] = 32
    optimizer: Literal["adamw", "sgd", "lion"] = "adamw"
    learning_rate: Positive | Literal["auto"] = 1e-3
    schedule: Literal["cosine", "step", "one_cycle", "constant"] = "cosine"
    warmup_epochs: Annotated[
        NotNegative | None, Field(description="null: half an epoch; one_cycle: 0.3 of all")
    ] = None
    weight_decay: NotNegative = 0.004
    loss: Literal["cross_entropy", "focal"] | UsersClass = "cross_entropy"
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    class_weights: Literal["none", "balanced"] | dict[str, Positive] = "none"
    sampling: Literal["natural", "balanced"] = "natural"
    ema_momentum: Annotated[float, Field(ge=0, lt=1, description="0: no average")] = 0.0
    gradient_clip_norm: Annotated[Positive | None, Field(description="null: no clipping")] = None
    gradient_accumulation_steps: Count = 1
    metrics: Annotated[tuple[UsersClass, ...], Field(strict=False)] = ()
    callbacks: Annotated[tuple[UsersClass, ...], Field(strict=False)] = ()
    monitor: Literal["val_loss", "val_accuracy"] = "val_loss"
    early_stopping_patience: Annotated[
        int, Field(ge=0, description="epochs without a better validation; 0: never stop early")
    ] = 5
    checkpoint_every_s: Annotated[NotNegative, Field(description="0: after each epoch alone")] = (
        300.0
    )
    devices: Literal["auto", "cpu", "gpu", "mirrored", "multi_worker"] = "auto"
    precision: Literal["auto", "float32", "mixed_bfloat16", "mixed_float16"] = "auto"
    jit_compile: bool | Literal["auto"] = "auto"
    steps_per_execution: Count = 8

    def warmup(self, epochs: int) -> float:
        """Return the epochs in which the learning rate rises, of so many in all."""
        if self.warmup_epochs is not None:
            return self.warmup_epochs
        return 0.3 * epochs if self.schedule == "one_cycle" else min(0.5, epochs / 2)

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
