"""The colours of a file, as its own profile means them -> those of sRGB.

Source: ICC.1:2022 (profiles) and IEC 61966-2-1 (sRGB); Little CMS, through Pillow, computes them.
"""

import io
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image, ImageCms

# Pillow's mode for the colour space of a profile.
_MODES = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK", "Lab": "LAB"}
# A profile that moves no colour by more of 255 levels than this is sRGB by another name.
_SAME_LEVELS = 2
_PROBE_STEP = 17
_PROFILES_KEPT = 64


def profile_of(image: "Image.Image") -> bytes:
    """Return the ICC profile embedded in a file, empty where there is none."""
    profile = image.info.get("icc_profile")
    return profile if isinstance(profile, bytes) else b""


def is_srgb(profile: bytes, mode: str) -> bool:
    """Tell whether pixels of this mode, L or RGB, look the same with the profile and without."""
    return _transform(profile, mode) is None


def to_srgb(image: "Image.Image", profile: bytes) -> "Image.Image":
    """Return opaque 8-bit pixels of mode L, RGB, CMYK or LAB as grey or RGB in sRGB's colours.

    A profile that is damaged, or of another colour space than the pixels, is left out: the
    pixels are still good.
    """
    from PIL import ImageCms

    transform = _transform(profile, image.mode)
    if transform is not None:
        converted = ImageCms.applyTransform(image, transform)
        assert converted is not None  # it returns None only if it works in place
        return converted
    return image if image.mode in ("L", "RGB") else image.convert("RGB")


@lru_cache(_PROFILES_KEPT)
def _transform(profile: bytes, mode: str) -> "ImageCms.ImageCmsTransform | None":
    """Return what turns pixels of `mode` into sRGB's, None where nothing has to be done."""
    if not profile and mode != "LAB":
        return None
    from PIL import ImageCms

    try:
        opened = ImageCms.getOpenProfile(io.BytesIO(profile)) if profile else None
        if opened is None or _MODES.get(opened.profile.xcolor_space.strip()) != mode:
            if mode != "LAB":
                return None
            opened = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        transform = ImageCms.buildTransform(opened, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None  # a damaged profile
    return None if _moves_nothing(transform, mode) else transform


def _moves_nothing(transform: "ImageCms.ImageCmsTransform", mode: str) -> bool:
    """Tell whether the transform leaves an even grid of colours where they are."""
    from PIL import Image, ImageChops, ImageCms

    levels = range(0, 256, _PROBE_STEP)
    if mode == "L":
        probe = Image.new("L", (len(levels), 1))
        probe.putdata(levels)
    elif mode == "RGB":
        probe = Image.new("RGB", (len(levels) ** 2, len(levels)))
        probe.putdata([(red, green, blue) for red in levels for green in levels for blue in levels])
    else:
        return False
    moved = ImageCms.applyTransform(probe, transform)
    assert moved is not None
    moves = ImageChops.difference(moved, probe.convert("RGB")).tobytes()
    return max(moves) <= _SAME_LEVELS
