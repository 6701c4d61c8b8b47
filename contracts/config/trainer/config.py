"""The `trainer` section of pipeline.yaml."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final, Literal, get_args

from pydantic import Field, JsonValue

from contracts.config.augmentation.config import AugmentationConfig
from contracts.config.key_paths import KeyPath
from contracts.config.section import Count, Label, Section
from contracts.config.trainer.model_options import MODEL_OPTIONS
from contracts.config.trainer.users_code import REFERENCE_PATTERN, UsersCode

# The value of a key whose number is found by trial.
AUTO: Final = "auto"

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]

UsersClass = Annotated[
    str,
    Field(
        pattern=REFERENCE_PATTERN,
        description="a class of yours, `module:Class` or `file.py:Class`",
    ),
]

BuiltInLoss = Literal["cross_entropy", "focal"]
BUILT_IN_LOSSES: Final[tuple[str, ...]] = get_args(BuiltInLoss)

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
    batch_size: Count | Literal["auto"] = 32
    optimizer: Literal["adamw", "sgd", "lion"] = "adamw"
    learning_rate: Positive | Literal["auto"] = 1e-3
    schedule: Literal["cosine", "step", "one_cycle", "constant"] = "cosine"
    warmup_epochs: Annotated[
        NotNegative | None,
        Field(description="of each phase; null: half an epoch; one_cycle: 0.3 of it"),
    ] = None
    weight_decay: NotNegative = 0.004
    loss: BuiltInLoss | UsersClass = "cross_entropy"
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    class_weights: Literal["none", "balanced"] | dict[Label, Positive] = "none"
    sampling: Literal["natural", "balanced"] = "natural"
    ema_momentum: Annotated[float, Field(ge=0, lt=1, description="0: no average")] = 0.0
    gradient_clip_norm: Annotated[Positive | None, Field(description="null: no clipping")] = None
    gradient_accumulation_steps: Count = 1
    metrics: Annotated[tuple[UsersClass, ...], Field(strict=False)] = ()
    callbacks: Annotated[tuple[UsersClass, ...], Field(strict=False)] = ()
    monitor: Literal["val_loss", "val_accuracy"] = "val_loss"
    early_stopping_patience: Annotated[
        int,
        Field(ge=0, description="epochs without a better monitored metric; 0: never stop early"),
    ] = 5
    checkpoint_every_s: Annotated[NotNegative, Field(description="0: after each epoch alone")] = (
        300.0
    )
    devices: Literal["auto", "cpu", "gpu", "mirrored", "multi_worker"] = "auto"
    precision: Literal["auto", "float32", "mixed_bfloat16", "mixed_float16"] = "auto"
    jit_compile: bool | Literal["auto"] = "auto"

    def phase_epochs(self) -> tuple[int, ...]:
        """Return the epochs of each phase: one, or two with `fine_tuning.frozen_epochs`."""
        frozen = self.fine_tuning.frozen_epochs
        return (frozen, self.epochs - frozen) if frozen else (self.epochs,)

    def warmup(self, epochs: int) -> float:
        """Return the epochs in which the learning rate rises, in a phase of `epochs` epochs."""
        if self.warmup_epochs is not None:
            return min(self.warmup_epochs, epochs)
        return 0.3 * epochs if self.schedule == "one_cycle" else min(0.5, epochs / 2)

    @property
    def is_rate_settable(self) -> bool:
        """Whether callbacks may set the learning rate, since no schedule does."""
        return self.schedule == "constant" and self.warmup_epochs == 0

    def scheduled_rate_problem(self, callbacks: Iterable[str]) -> str:
        """Return what is wrong with callbacks that set the learning rate while a schedule does."""
        return (
            f"expected none that sets the learning rate, which trainer.schedule: {self.schedule} "
            f"with its warm-up does, received {', '.join(callbacks)}. Set trainer.schedule: "
            "constant and trainer.warmup_epochs: 0, or take it out."
        )

    def users_model(self) -> UsersCode | None:
        """Return the function that builds a model of the user's own; None for another one."""
        return UsersCode.parse(self.model)

    def users_code(self) -> tuple[UsersCode, ...]:
        """Return all code of the user's own that the training runs."""
        return tuple(self.users_references().values())

    def users_references(self) -> dict[KeyPath, UsersCode]:
        """Return the code of the user's own by the key that names it."""
        named: dict[KeyPath, str] = {("model",): self.model, ("loss",): self.loss}
        for key, references in (("metrics", self.metrics), ("callbacks", self.callbacks)):
            named |= {(key, number): one for number, one in enumerate(references)}
        parsed = {key: UsersCode.parse(reference) for key, reference in named.items()}
        return {key: code for key, code in parsed.items() if code is not None}

    def weights_file(self) -> Path | None:
        """Return the file of the initial weights; None where there is no file."""
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
