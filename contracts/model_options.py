"""The models that come with imgpipe and the options that each of them takes."""

from typing import Annotated

from pydantic import Field

from contracts.section import Count, Section


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
