"""The models by name and the options that each of them takes."""

from typing import Annotated, Any, Final, Literal

from pydantic import Field, JsonValue

from contracts.config.section import Count, Section
from contracts.config.trainer.keras_applications import SMALLEST_PX
from contracts.config.trainer.per_stage import PerStage

Padding = Literal["same", "valid"]
Pooling = Literal["max", "average", "none"]


class CnnOptions(Section):
    """A plain convolutional network: Conv2D, normalisation, ReLU and pooling a stage."""

    filters: Annotated[
        tuple[Count, ...] | None,
        Field(strict=False, min_length=1, description="one stage an entry; null: fits the image"),
    ] = None
    kernel_size: Annotated[int | tuple[int, ...], PerStage(Annotated[int, Field(ge=1, le=15)])] = 3
    stride: Annotated[int | tuple[int, ...], PerStage(Annotated[int, Field(ge=1, le=8)])] = 1
    padding: Annotated[Padding | tuple[Padding, ...], PerStage(Padding)] = "same"
    pooling: Annotated[Pooling | tuple[Pooling, ...], PerStage(Pooling)] = "max"
    dense_units: Annotated[int, Field(ge=0, description="0: no hidden layer")] = 0
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2

    def per_stage(self) -> dict[str, tuple[Any, ...]]:
        """Return the options that are lists, one entry a stage."""
        keys = ("filters", "kernel_size", "stride", "padding", "pooling")
        return {key: value for key in keys if isinstance(value := getattr(self, key), tuple)}


class ConvNeXtV2Options(Section):
    """A ConvNeXt V2; the variant's table gives what is left null."""

    depths: Annotated[tuple[Count, ...] | None, Field(strict=False, min_length=1)] = None
    widths: Annotated[tuple[Count, ...] | None, Field(strict=False, min_length=1)] = None
    stem_patch_px: Annotated[
        int | None, Field(ge=1, le=16, description="null: fits the image size")
    ] = None
    drop_path_rate: Annotated[float, Field(ge=0, lt=1)] = 0.0
    head_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0


class ConvNeXtOptions(ConvNeXtV2Options):
    """A ConvNeXt V1, which scales the branch of each block by a learnt factor a channel."""

    layer_scale_init: Annotated[
        float, Field(ge=0, le=1, description="what the factors begin at; 0: without them")
    ] = 1e-6


class BackboneOptions(Section):
    """A backbone of keras.applications under a head of ours."""

    pooling: Literal["average", "max"] = "average"
    head_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    arguments: Annotated[
        dict[str, JsonValue],
        Field(description="further ones of the function in keras.applications, such as alpha"),
    ] = {}


# The side of the first patches that ImageNet weights of ConvNeXt were trained with.
IMAGENET_STEM_PX: Final = 4

# ConvNeXt as first published, and V2.
CONVNEXT_V1: Final = ("convnext_tiny", "convnext_small", "convnext_base", "convnext_large")
CONVNEXT_V2: Final = (
    "convnext_atto",
    "convnext_femto",
    "convnext_pico",
    "convnext_nano",
    "convnext_v2_tiny",
    "convnext_v2_base",
)

# The models that are written here, and those of keras.applications, with what they take.
OWN_MODELS: Final = ("cnn", *CONVNEXT_V2[:4], *CONVNEXT_V1, *CONVNEXT_V2[4:])
MODEL_OPTIONS: dict[str, type[Section]] = {
    "cnn": CnnOptions,
    **dict.fromkeys(CONVNEXT_V1, ConvNeXtOptions),
    **dict.fromkeys(CONVNEXT_V2, ConvNeXtV2Options),
    **dict.fromkeys(SMALLEST_PX, BackboneOptions),
}

# The models that ImageNet weights can be downloaded for.
WITH_IMAGENET_WEIGHTS: Final = (*CONVNEXT_V1, *SMALLEST_PX)
