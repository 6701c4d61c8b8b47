"""The sections of pipeline.yaml as frozen models: what a key means and which values it takes."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    ConfigDict,
    Field,
    GetPydanticSchema,
    JsonValue,
    PlainSerializer,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from contracts.data_checks import ValidationConfig
from contracts.image_reading import DEFAULT_READING, ImageReading
from contracts.remote_path import RemotePath, Root, place
from contracts.section import Section

Count = Annotated[int, Field(ge=1)]
Fraction = Annotated[float, Field(ge=0, le=1)]


def _placed(root: Any, as_path: ValidatorFunctionWrapHandler) -> Root:
    """Return an address in an object store as such, anything else as a path on this machine."""
    placed = place(root)
    return placed if isinstance(placed, RemotePath) else Path(as_path(placed))


class SplitsConfig(Section):
    """Parts of the images that go to each split the data does not bring itself."""

    train: Count = 8
    validation: Count = 1
    test: Count = 1


class LimitsConfig(Section):
    """What an image may take; one beyond it is quarantined with the limit as its reason."""

    max_mib: Annotated[Count, Field(description="of a file")] = DEFAULT_READING.max_bytes >> 20
    max_pixels: Annotated[Count, Field(description="width times height")] = (
        DEFAULT_READING.max_pixels
    )
    max_aspect: Annotated[
        float, Field(ge=1, allow_inf_nan=False, description="longer side / shorter side")
    ] = DEFAULT_READING.max_aspect
    max_seconds: Annotated[
        float, Field(gt=0, allow_inf_nan=False, description="to read and decode it")
    ] = 30.0
    max_memory_mib: Annotated[int, Field(ge=256, description="to decode it")] = 4096


class DataConfig(Section):
    """Where the images are, how they are read and how they are split."""

    root: Annotated[
        Root,
        GetPydanticSchema(lambda _, handler: handler.generate_schema(Path)),
        Field(strict=False, description="image folder, or a CSV (path,label[,split,group])"),
        WrapValidator(_placed),
        PlainSerializer(str),
    ]
    splits: SplitsConfig = SplitsConfig()
    group_by: Annotated[
        str | None,
        Field(
            description="CSV column or regular expression on the path; "
            "a group never stands in two splits"
        ),
    ] = None
    leave_out: Annotated[
        tuple[str, ...], Field(strict=False, description="labels whose images are not used")
    ] = ()
    schema_path: Annotated[
        Path | None,
        Field(
            strict=False,
            alias="schema",
            description="curated TFDV schema (.pbtxt); null infers one",
        ),
    ] = None
    shard_size_mib: Annotated[int, Field(ge=1, le=1024, description="MiB of images a shard")] = 128
    background: Annotated[
        str,
        Field(
            pattern="^#[0-9a-fA-F]{6}$",
            description="#rrggbb, the colour that transparency is laid on",
        ),
    ] = DEFAULT_READING.background
    limits: LimitsConfig = LimitsConfig()

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    def reading(self) -> ImageReading:
        """Return how images are read and which are refused."""
        return ImageReading(
            background=self.background,
            max_bytes=self.limits.max_mib << 20,
            max_pixels=self.limits.max_pixels,
            max_aspect=self.limits.max_aspect,
        )


class PreprocessingConfig(Section):
    """The one pixel preprocessing, for training and serving."""

    image_size_px: Annotated[int, Field(ge=8, le=4096)] = 96
    resize: Literal["crop", "pad", "stretch"] = "crop"


class AugmentationConfig(Section):
    """Random changes of the training images, new in every epoch; never of any other split."""

    preset: Literal["none", "light"] = "light"


class CnnOptions(Section):
    """A plain convolutional network: Conv2D, normalisation, ReLU, MaxPooling2D a stage."""

    filters: Annotated[
        tuple[Count, ...] | None,
        Field(strict=False, min_length=1, description="one stage an entry; null: fits the image"),
    ] = None
    kernel_size: Annotated[int, Field(ge=1, le=15)] = 3
    dense_units: Annotated[int, Field(ge=0, description="0: no hidden layer")] = 0
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2


class ConvNeXtOptions(Section):
    """A ConvNeXt V2; the variant's table gives what is left null."""

    depths: Annotated[tuple[Count, ...] | None, Field(strict=False, min_length=1)] = None
    widths: Annotated[tuple[Count, ...] | None, Field(strict=False, min_length=1)] = None
    stem_patch_px: Annotated[
        int | None, Field(ge=1, le=16, description="null: fits the image size")
    ] = None
    drop_path_rate: Annotated[float, Field(ge=0, lt=1)] = 0.0
    head_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0


# The models that come with imgpipe and the options that their builders take.
MODEL_OPTIONS: dict[str, type[Section]] = {
    "cnn": CnnOptions,
    "convnext_atto": ConvNeXtOptions,
    "convnext_femto": ConvNeXtOptions,
    "convnext_pico": ConvNeXtOptions,
    "convnext_nano": ConvNeXtOptions,
}


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


class EvaluationConfig(Section):
    """What a candidate must reach on the test split, which training never sees."""

    min_accuracy: Fraction = 0.5
    max_accuracy_drop: Annotated[Fraction, Field(description="against the champion")] = 0.01
    batch_size: Count = 64


class BeamConfig(Section):
    """Where Beam runs, and how many processes decode images there."""

    runner: Literal["direct"] = "direct"
    decode_processes: Annotated[Count | None, Field(description="null: one a core")] = None


class MlflowConfig(Section):
    """Where runs are tracked and models registered."""

    uri: Annotated[str | None, Field(description="null: SQLite in the workspace")] = None


class TrackingConfig(Section):
    """Experiment tracking."""

    mlflow: MlflowConfig = MlflowConfig()


class PipelineConfig(Section):
    """All of pipeline.yaml."""

    name: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$",
            description="1 to 63 letters, digits, '_', '.' and '-', the first a letter or a digit",
        ),
    ]
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    data: DataConfig
    validation: ValidationConfig = ValidationConfig()
    preprocessing: PreprocessingConfig = PreprocessingConfig()
    augmentation: AugmentationConfig = AugmentationConfig()
    trainer: TrainerConfig = TrainerConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    beam: BeamConfig = BeamConfig()
    tracking: TrackingConfig = TrackingConfig()


class TrainingRecipe(Section):
    """What the Trainer component needs of the config."""

    trainer: TrainerConfig
    augmentation: AugmentationConfig
    seed: int


class TrackingStore(Section):
    """Where MLflow keeps what it is told; the runner fills it in from `tracking` and `name`."""

    uri: str
    name: str  # of the experiment and of the registered model
    artifact_location: str | None = None  # null: the server's own
