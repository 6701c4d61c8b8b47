"""The `data` section of pipeline.yaml."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    ConfigDict,
    Field,
    GetPydanticSchema,
    PlainSerializer,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from contracts.config.section import Count, Label, Section
from contracts.images.reading import DEFAULT_READING, ImageReading
from contracts.system.storage.remote_path import RemotePath, Root, place


def _as_root(root: Any, as_path: ValidatorFunctionWrapHandler) -> Root:
    """Return an address in an object store as RemotePath, any other value as Path."""
    placed = place(root)
    return placed if isinstance(placed, RemotePath) else Path(as_path(placed))


class SplitsConfig(Section):
    """Parts of the images for each split that the data does not have."""

    train: Count = 8
    validation: Count = 1
    test: Count = 1


class LimitsConfig(Section):
    """Limits for an image. One beyond a limit is quarantined, with the limit as its reason."""

    max_mib: Annotated[Count, Field(description="largest file, in MiB")] = (
        DEFAULT_READING.max_bytes >> 20
    )
    max_pixels: Annotated[Count, Field(description="width times height")] = (
        DEFAULT_READING.max_pixels
    )
    max_aspect: Annotated[
        float, Field(ge=1, allow_inf_nan=False, description="longer side / shorter side")
    ] = DEFAULT_READING.max_aspect
    max_seconds: Annotated[
        float, Field(gt=0, allow_inf_nan=False, description="to read and decode it")
    ] = 30.0
    max_memory_mib: Annotated[
        int, Field(ge=256, description="memory to decode an image, in MiB")
    ] = 4096


Finite = Annotated[float, Field(allow_inf_nan=False)]


class DataConfig(Section):
    """Where the images are, how they are read and how they are split."""

    root: Annotated[
        Root,
        GetPydanticSchema(lambda _, handler: handler.generate_schema(Path)),
        Field(strict=False, description="image folder, or a CSV (path,label[,split,group])"),
        WrapValidator(_as_root),
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
        tuple[Label, ...],
        Field(
            strict=False,
            description="classes, or top folders that are no split, whose images are not used",
        ),
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
    value_range: Annotated[
        tuple[Finite, Finite] | None,
        Field(
            strict=False,
            description="values that become black and white, of images of more than 8 bits a "
            "sample; null: what a sample of the images uses",
        ),
    ] = None
    limits: LimitsConfig = LimitsConfig()

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    def reading(self) -> ImageReading:
        """Return how images are read and which are refused.

        Where `value_range` is null, the caller replaces the default ranges by those of the images.
        """
        usual = DEFAULT_READING
        return ImageReading(
            integer_range=self.value_range or usual.integer_range,
            float_range=self.value_range or usual.float_range,
            background=self.background,
            max_bytes=self.limits.max_mib << 20,
            max_pixels=self.limits.max_pixels,
            max_aspect=self.limits.max_aspect,
        )
