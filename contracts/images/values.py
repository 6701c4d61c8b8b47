"""Deep images, which have more than 8 bits a sample: their values -> 8 bits.

Pillow gives only the high bytes of colours of 16 bits, and reads no colours in floating point.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from contracts.images import segments

if TYPE_CHECKING:
    import numpy.typing as npt
    from PIL import Image

    Array = npt.NDArray[Any]

SampleKind = Literal["integer", "float"]
KINDS: Final[tuple[SampleKind, ...]] = ("integer", "float")
SampleRange = tuple[float, float]  # the values that become black and white

HEAD_BYTES: Final = 32
_PNG_BITS: Final = 24  # place of the bit depth
_OF_8_BITS: Final = (segments.JPEG, b"GIF8", b"BM", b"RIFF")
_WHITE: Final = 255.0
_OPAQUE_16: Final = 65535.0
_LEAST_BITS, _MOST_BITS = 8, 64
# Pillow's raw modes of 16 bits, by the byte of each sample that comes first or is kept.
_OTHER_BYTE: Final = {"B": "L", "L": "B", "N": "B"}
_GREY_AND_ALPHA: Final = "LA;16B"
_SAMPLE_FORMAT, _UNSIGNED = 339, 1  # tag of TIFF, and its value


class ValuesOutOfRange(ValueError):
    """An image has values that the range of its data set does not hold."""


class Values(NamedTuple):
    """The samples of a deep image.

    `samples` are [height, width], or [height, width, 3] of RGB. `opacity` is float64
    [height, width] from 0 to 255, None of an opaque image. `orientation` is EXIF's, from 1 to 8.
    """

    samples: "Array"
    opacity: "Array | None" = None
    orientation: int = 1

    @property
    def kind(self) -> SampleKind:
        """Whether they are integers or floating-point numbers."""
        return "float" if self.samples.dtype.kind == "f" else "integer"

    @property
    def extent(self) -> SampleRange:
        """The lowest and the highest finite value; zeros where there is none."""
        import numpy as np

        finite = self.samples[np.isfinite(self.samples)] if self.kind == "float" else self.samples
        return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)

    def scaled(self, values: SampleRange) -> "Image.Image":
        """Return them as L, RGB, LA or RGBA of 8 bits: rint((value - low) * 255 / (high - low)).

        NaN and infinite values become black.

        Raises:
          ValuesOutOfRange: there are values beyond the range; none is clipped.
        """
        import numpy as np
        from PIL import Image

        low, high = values
        wide = np.nan_to_num(self.samples.astype(np.float64), nan=low, posinf=low, neginf=low)
        levels = np.rint((wide - low) * _WHITE / (high - low))
        if levels.size and not 0 <= levels.min() <= levels.max() <= _WHITE:
            least, most = self.extent
            raise ValuesOutOfRange(
                f"its values go from {least:g} to {most:g}, beyond the range of the data set, "
                f"{low:g} to {high:g}; data.value_range sets another one"
            )
        image = Image.fromarray(levels.astype(np.uint8))
        if self.opacity is not None:
            image.putalpha(Image.fromarray(np.rint(self.opacity).astype(np.uint8)))
        return image


def fitting_range(kind: SampleKind, extent: SampleRange) -> SampleRange:
    """Return the usual range that holds all values from the lowest to the highest one.

    Integers have an even number of bits, from 8 on: 255, 1023, 4095, ... is white. Floating-point
    numbers go to 1, or are such integers. 0 is black, unless there are negative values.
    """
    low, high = extent
    if kind == "integer":
        return (-(_largest(-low - 1) + 1.0) if low < 0 else 0.0), _largest(high)
    white = 1.0 if max(-low, high) <= 1 + 1 / (2 * _WHITE) else _largest(max(-low, high))
    return (-white if low < 0 else 0.0), white


def _largest(value: float) -> float:
    """Return the largest integer with the fewest bits (8, 10, 12, ...) that hold `value`."""
    bits = next(n for n in range(_LEAST_BITS, _MOST_BITS + 2, 2) if value < 2**n or n >= _MOST_BITS)
    return float(2**bits - 1)


def may_be_deep(head: bytes) -> bool:
    """Tell by the first HEAD_BYTES of a file whether its image may have more than 8 bits."""
    if head.startswith(segments.PNG):
        return head[_PNG_BITS : _PNG_BITS + 1] == b"\x10"
    return not head.startswith(_OF_8_BITS) and head[4:8] != b"ftyp"


def is_deep(image: "Image.Image") -> bool:
    """Tell whether an image that was opened, and not loaded yet, has more than 8 bits a sample."""
    return image.mode.startswith(("I", "F")) or _has_deep_colours(image)


def _has_deep_colours(image: "Image.Image") -> bool:
    raw_modes = [_raw_mode(tile) for tile in getattr(image, "tile", ())]
    return image.mode in ("RGB", "RGBA") and any(
        ";16" in mode and not mode.startswith("RGBa") for mode in raw_modes
    )


def values_of(image: "Image.Image", reopen: "Callable[[], Image.Image]") -> Values:
    """Return the values of a deep image.

    Args:
      image: opened and not loaded; it is loaded then.
      reopen: opens it once more.
    """
    import numpy as np

    if _has_deep_colours(image):
        return _deep_colours(image, reopen)
    image.load()
    samples = np.asarray(image)
    if image.mode == "I" and _sample_format(image) == _UNSIGNED:
        samples = samples.view(np.uint32)
    return Values(samples, _opacity(samples, image.info.get("transparency")))


def _deep_colours(image: "Image.Image", reopen: "Callable[[], Image.Image]") -> Values:
    """Put both bytes of each sample together: each is all that Pillow reads in a mode of its own.

    The filters of PNG and the compressions of TIFF are undone before modes come into play.
    """
    import numpy as np

    other: Any = reopen()
    if any(_raw_mode(tile) == _GREY_AND_ALPHA for tile in other.tile):
        other.tile = [_with_raw_mode(tile, "RGBA") for tile in other.tile]
        other.load()
        grey, opacity = np.moveaxis(np.ascontiguousarray(other).view(">u2"), -1, 0)
        image.load()
        return Values(grey.astype(np.uint16), opacity * (_WHITE / _OPAQUE_16))
    other.tile = [_with_raw_mode(tile, _of_other_byte(_raw_mode(tile))) for tile in other.tile]
    other.load()
    image.load()
    samples = np.asarray(image).astype(np.uint16) << 8 | np.asarray(other)
    if samples.shape[-1] > 3:
        return Values(samples[..., :3], samples[..., 3] * (_WHITE / _OPAQUE_16))
    return Values(samples, _opacity(samples, image.info.get("transparency")))


def _opacity(samples: "Array", transparent: Any) -> "Array | None":
    """Return the opacity where one value, an integer or three of them, stands for transparency."""
    import numpy as np

    if not isinstance(transparent, int | tuple):
        return None
    differs = samples != np.asarray(transparent)
    is_opaque = differs.any(axis=-1) if samples.ndim > 2 else differs
    opacity: Array = is_opaque * _WHITE
    return opacity


def _raw_mode(tile: Any) -> str:
    return str(tile.args if isinstance(tile.args, str) else tile.args[0])


def _with_raw_mode(tile: Any, mode: str) -> Any:
    return tile._replace(args=mode if isinstance(tile.args, str) else (mode, *tile.args[1:]))


def _of_other_byte(raw_mode: str) -> str:
    return raw_mode[:-1] + _OTHER_BYTE[raw_mode[-1]]


def _sample_format(image: "Image.Image") -> int | None:
    tags = getattr(image, "tag_v2", None)
    return tags.get(_SAMPLE_FORMAT, (_UNSIGNED,))[0] if tags is not None else None
