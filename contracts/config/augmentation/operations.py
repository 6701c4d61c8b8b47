"""The named operations of augmentation: what each may be set to, in which unit."""

from typing import Annotated, Any, ClassVar, Final, get_args

from pydantic import Field

from contracts.config.augmentation.operation import AsGiven, Operation, StrengthRange

Degrees = Annotated[float, Field(ge=-180, le=180, description="degrees")]
ShearDegrees = Annotated[float, Field(ge=-60, le=60, description="degrees")]
Times = Annotated[float, Field(ge=0, le=10, description="factor")]
Magnification = Annotated[float, Field(ge=0.1, le=10, description="factor")]
AreaPart = Annotated[float, Field(ge=0.01, le=1, description="part of the area")]
SidePart = Annotated[float, Field(ge=-1, le=1, description="part of the side")]
BorderPart = Annotated[float, Field(ge=-0.45, le=1, description="part of the side")]
BlurPart = Annotated[float, Field(ge=0, le=0.2, description="part of the side")]
ScalePart = Annotated[float, Field(ge=0, le=1, description="part of the full scale")]
Turns = Annotated[float, Field(ge=-0.5, le=0.5, description="turns of the colour circle")]
Bits = Annotated[float, Field(ge=1, le=8, description="bits")]
Threshold = Annotated[float, Field(ge=0, le=256, description="value that is inverted")]
Quality = Annotated[float, Field(ge=1, le=100, description="quality")]


def _low_and_high() -> Any:
    return Field(strict=False, min_length=2, max_length=2, description="lowest and highest")


class FlipHorizontal(Operation):
    """Mirrors left to right."""


class FlipVertical(Operation):
    """Mirrors top to bottom."""


class Dihedral(Operation):
    """Takes one of the eight mirrored and quarter-turned views, each as likely."""


class Rotate(Operation):
    """Turns about the centre, counter-clockwise for positive degrees."""

    USUAL_RANGE: ClassVar[StrengthRange | None] = (-15.0, 15.0)
    UNIT: ClassVar[str] = "degrees"
    range: Annotated[tuple[Degrees, ...] | None, _low_and_high()] = None


class Shear(Operation):
    """Slants the image along its rows or along its columns, each as likely."""

    USUAL_RANGE: ClassVar[StrengthRange | None] = (-10.0, 10.0)
    UNIT: ClassVar[str] = "degrees"
    range: Annotated[tuple[ShearDegrees, ...] | None, _low_and_high()] = None


class Crop(Operation):
    """Enlarges a random part to the whole (Szegedy et al., 2014, arXiv:1409.4842, 6)."""

    USUAL_PROBABILITY: ClassVar[float] = 1.0
    USUAL_RANGE: ClassVar[StrengthRange | None] = (0.5, 1.0)
    UNIT: ClassVar[str] = "part of the area"
    range: Annotated[tuple[AreaPart, ...] | None, _low_and_high()] = None


class CropAndPad(Operation):
    """Moves each border by itself: outwards where positive, inwards where negative."""

    USUAL_RANGE: ClassVar[StrengthRange | None] = (-0.1, 0.1)
    UNIT: ClassVar[str] = "part of the side"
    range: Annotated[tuple[BorderPart, ...] | None, _low_and_high()] = None


class Zoom(Operation):
    """Enlarges (above 1) or shrinks (below 1) about the centre."""

    USUAL_RANGE: ClassVar[StrengthRange | None] = (0.85, 1.15)
    UNIT: ClassVar[str] = "times"
    range: Annotated[tuple[Magnification, ...] | None, _low_and_high()] = None


class Translate(Operation):
    """Shifts along both sides, each by itself."""

    USUAL_RANGE: ClassVar[StrengthRange | None] = (-0.1, 0.1)
    UNIT: ClassVar[str] = "part of the side"
    range: Annotated[tuple[SidePart, ...] | None, _low_and_high()] = None


class Brightness(Operation):
    """Multiplies the values of all pixels."""

    USUAL_RANGE: ClassVar[StrengthRange | None] = (0.8, 1.2)
    UNIT: ClassVar[str] = "times"
    range: Annotated[tuple[Times, ...] | None, _low_and_high()] = None


class Contrast(Operation):
    """Multiplies the distance of all pixels from the image's mean brightness."""

    USUAL_RANGE: ClassVar[StrengthRange | None] = (0.8, 1.2)
    UNIT: ClassVar[str] = "times"
    range: Annotated[tuple[Times, ...] | None, _low_and_high()] = None


class Saturation(Operation):
    """Multiplies the distance of every pixel from its own grey."""

    USUAL_RANGE: ClassVar[StrengthRange | None] = (0.7, 1.3)
    UNIT: ClassVar[str] = "times"
    range: Annotated[tuple[Times, ...] | None, _low_and_high()] = None


class Hue(Operation):
    """Turns all colours about the grey axis: by 1/3, red becomes green."""

    USUAL_RANGE: ClassVar[StrengthRange | None] = (-0.05, 0.05)
    UNIT: ClassVar[str] = "turns of the colour circle"
    range: Annotated[tuple[Turns, ...] | None, _low_and_high()] = None


class AutoContrast(Operation):
    """Spreads each colour over the full scale."""

    USUAL_PROBABILITY: ClassVar[float] = 0.2


class Equalize(Operation):
    """Makes the values of each colour about equally frequent."""

    USUAL_PROBABILITY: ClassVar[float] = 0.1


class Posterize(Operation):
    """Keeps the highest bits of every value, a whole number of them."""

    USUAL_PROBABILITY: ClassVar[float] = 0.1
    USUAL_RANGE: ClassVar[StrengthRange | None] = (3.0, 6.0)
    UNIT: ClassVar[str] = "bits"
    range: Annotated[tuple[Bits, ...] | None, _low_and_high()] = None


class Solarize(Operation):
    """Inverts the values from the threshold on: 0 inverts all, 256 none."""

    USUAL_PROBABILITY: ClassVar[float] = 0.1
    USUAL_RANGE: ClassVar[StrengthRange | None] = (128.0, 224.0)
    UNIT: ClassVar[str] = "of 256"
    range: Annotated[tuple[Threshold, ...] | None, _low_and_high()] = None


class Sharpness(Operation):
    """Multiplies the distance of every pixel from the mean of its neighbours."""

    USUAL_PROBABILITY: ClassVar[float] = 0.2
    USUAL_RANGE: ClassVar[StrengthRange | None] = (0.5, 1.5)
    UNIT: ClassVar[str] = "times"
    range: Annotated[tuple[Times, ...] | None, _low_and_high()] = None


class Blur(Operation):
    """Blurs with a Gaussian of this standard deviation."""

    USUAL_PROBABILITY: ClassVar[float] = 0.2
    USUAL_RANGE: ClassVar[StrengthRange | None] = (0.002, 0.015)
    UNIT: ClassVar[str] = "part of the side"
    range: Annotated[tuple[BlurPart, ...] | None, _low_and_high()] = None


class Noise(Operation):
    """Adds Gaussian noise of this standard deviation to every value."""

    USUAL_PROBABILITY: ClassVar[float] = 0.2
    USUAL_RANGE: ClassVar[StrengthRange | None] = (0.0, 0.05)
    UNIT: ClassVar[str] = "part of the full scale"
    range: Annotated[tuple[ScalePart, ...] | None, _low_and_high()] = None


class JpegCompression(Operation):
    """Compresses as JPEG does at this quality."""

    USUAL_PROBABILITY: ClassVar[float] = 0.2
    USUAL_RANGE: ClassVar[StrengthRange | None] = (40.0, 95.0)
    UNIT: ClassVar[str] = "quality"
    range: Annotated[tuple[Quality, ...] | None, _low_and_high()] = None


class RandomErasing(Operation):
    """Covers a rectangle with noise (Zhong et al., 2017, arXiv:1708.04896)."""

    USUAL_PROBABILITY: ClassVar[float] = 0.25
    USUAL_RANGE: ClassVar[StrengthRange | None] = (0.02, 0.2)
    UNIT: ClassVar[str] = "part of the area"
    range: Annotated[tuple[AreaPart, ...] | None, _low_and_high()] = None


class Operations(AsGiven):
    """Changes to the preset, in the order in which operations follow one another."""

    dihedral: Dihedral | None = None
    flip_horizontal: FlipHorizontal | None = None
    flip_vertical: FlipVertical | None = None
    crop: Crop | None = None
    crop_and_pad: CropAndPad | None = None
    zoom: Zoom | None = None
    rotate: Rotate | None = None
    shear: Shear | None = None
    translate: Translate | None = None
    brightness: Brightness | None = None
    contrast: Contrast | None = None
    saturation: Saturation | None = None
    hue: Hue | None = None
    auto_contrast: AutoContrast | None = None
    equalize: Equalize | None = None
    posterize: Posterize | None = None
    solarize: Solarize | None = None
    sharpness: Sharpness | None = None
    blur: Blur | None = None
    noise: Noise | None = None
    jpeg_compression: JpegCompression | None = None
    random_erasing: RandomErasing | None = None

    def given(self) -> dict[str, Operation | None]:
        """Return the operations that were named, None for one that is taken out."""
        return {
            name: getattr(self, name)
            for name in OPERATION_SECTIONS
            if name in self.model_fields_set
        }


def _sections() -> dict[str, type[Operation]]:
    """Return the section of each operation, in order."""
    return {name: get_args(info.annotation)[0] for name, info in Operations.model_fields.items()}


OPERATION_SECTIONS: Final[dict[str, type[Operation]]] = _sections()
