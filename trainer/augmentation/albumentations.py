"""The same policy by the package albumentations, on the CPU, before batches reach the model."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from contracts.config.augmentation.policy import Policy, PolicyOperation, RandAugmentPolicy
from contracts.environment.optional_libraries import ALBUMENTATIONS
from trainer.augmentation.operation_draws import ONE_SIDED

Array = npt.NDArray[Any]

# cv2.BORDER_REFLECT, c b a | a b c, as the Keras layers have it.
MIRRORED: Final = 2
WHITE: Final = 255


class CpuAugmentation:
    """Changes batches as a policy says, each by random numbers of its own.

    Args:
      policy: the resolved policy.
      labels: the classes, in the order of the targets.
      seed: of all random numbers.

    Raises:
      ComponentError: albumentations is not installed, or an exception names an unknown class.
    """

    def __init__(self, policy: Policy, labels: Sequence[str], seed: int) -> None:
        policy.require_known_exceptions(labels)
        self._policy = policy
        self._labels = labels
        self._seed = seed
        self._library = _library()
        self._pipelines: dict[tuple[str, int], Any] = {}  # by class and size

    def augmented(self, pixels: Array, targets: Array, number: int) -> tuple[Array, Array]:
        """Return changed pixels, float32 in 0..255, and the targets that belong to them.

        Args:
          pixels: uint8 or float32 [batch, size, size, 3] in 0..255, rounded to whole numbers.
          targets: float32 [batch, classes] of probabilities.
          number: of the batch in the training; what is random follows from it and the seed.
        """
        numbers = np.random.default_rng([self._seed, number])
        whole = np.rint(pixels).astype(np.uint8)
        changed = np.empty(whole.shape, np.float32)
        for index, (image, label) in enumerate(zip(whole, targets.argmax(axis=1), strict=True)):
            pipeline = self._pipeline(self._labels[label], image.shape[0])
            pipeline.set_random_seed(int(numbers.integers(2**31)))
            changed[index] = pipeline(image=image)["image"]
        if self._policy.mixup or self._policy.cutmix:
            return _mixed(changed, targets, self._policy, numbers)
        return changed, targets

    def _pipeline(self, label: str, size_px: int) -> Any:
        if (label, size_px) not in self._pipelines:
            operations = [one for one in self._policy.operations if label not in one.exceptions]
            before = [one for one in operations if one.name != "random_erasing"]
            after = [one for one in operations if one.name == "random_erasing"]
            library = self._library
            transforms = [transform(library, operation, size_px) for operation in before]
            if self._policy.rand_augment:
                pool = _pool(library, self._policy.rand_augment, label, size_px)
                transforms.append(pool)
            transforms += [transform(library, operation, size_px) for operation in after]
            self._pipelines[label, size_px] = library.Compose(transforms)
        return self._pipelines[label, size_px]


def _library() -> Any:
    ALBUMENTATIONS.require()
    # Without this it asks PyPI for its newest version.
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    import albumentations

    return albumentations


def transform(library: Any, operation: PolicyOperation, size_px: int) -> Any:
    """Return the package's transform that means the same as an operation of the policy."""
    return _TRANSFORMS[operation.name](library, operation.range, size_px, operation.probability)


Ends = tuple[float, float]
Builder = Callable[[Any, Any, int, float], Any]


def _colour(name: str) -> Builder:
    def jitter(library: Any, ends: Ends, size_px: int, p: float) -> Any:
        neutral = {"brightness": (1, 1), "contrast": (1, 1), "saturation": (1, 1), "hue": (0, 0)}
        return library.ColorJitter(**{**neutral, name: ends}, p=p)

    return jitter


def _crop(library: Any, ends: Ends, size_px: int, p: float) -> Any:
    return library.RandomResizedCrop(size=(size_px, size_px), scale=ends, p=p)


def _crop_and_pad(library: Any, ends: Ends, size_px: int, p: float) -> Any:
    return library.CropAndPad(percent=ends, border_mode=MIRRORED, p=p)


def _zoom(library: Any, ends: Ends, size_px: int, p: float) -> Any:
    return library.Affine(scale=ends, keep_ratio=True, border_mode=MIRRORED, p=p)


def _rotate(library: Any, ends: Ends, size_px: int, p: float) -> Any:
    return library.Rotate(limit=ends, border_mode=MIRRORED, p=p)


def _translate(library: Any, ends: Ends, size_px: int, p: float) -> Any:
    both = {"x": ends, "y": ends}
    return library.Affine(translate_percent=both, border_mode=MIRRORED, p=p)


def _shear(library: Any, ends: Ends, size_px: int, p: float) -> Any:
    ways = [
        library.Affine(shear={"x": (0, 0), "y": (0, 0), axis: ends}, border_mode=MIRRORED, p=1.0)
        for axis in ("x", "y")
    ]
    return library.OneOf(ways, p=p)


def _posterize(library: Any, ends: Ends, size_px: int, p: float) -> Any:
    return library.Posterize(num_bits=(round(ends[0]), round(ends[1])), p=p)


def _solarize(library: Any, ends: Ends, size_px: int, p: float) -> Any:
    if ends[0] > WHITE:  # nothing is inverted; the package would invert white
        return library.NoOp(p=p)
    # Pixel values are whole numbers: half a value lower, no threshold equals one.
    low, high = (min(max(end - 0.5, 0.0) / WHITE, 1.0) for end in ends)
    return library.Solarize(threshold_range=(low, high), p=p)


def _sharpen(library: Any, ends: Ends, size_px: int, p: float) -> Any:
    from PIL import Image, ImageEnhance

    class Sharpness(library.ImageOnlyTransform):
        """Pillow's, since the package can only sharpen."""

        def apply(self, img: Array, times: float, **params: Any) -> Array:
            return np.asarray(ImageEnhance.Sharpness(Image.fromarray(img)).enhance(times))

        def get_params(self) -> dict[str, float]:
            return {"times": self.py_random.uniform(*ends)}

    return Sharpness(p=p)


def _blur(library: Any, ends: Ends, size_px: int, p: float) -> Any:
    sigma_px = (ends[0] * size_px, ends[1] * size_px)
    return library.GaussianBlur(blur_limit=0, sigma_limit=sigma_px, p=p)


def _compress(library: Any, ends: Ends, size_px: int, p: float) -> Any:
    return library.ImageCompression(quality_range=(round(ends[0]), round(ends[1])), p=p)


_TRANSFORMS: Final[Mapping[str, Builder]] = {
    "dihedral": lambda library, ends, size_px, p: library.D4(p=p),
    "flip_horizontal": lambda library, ends, size_px, p: library.HorizontalFlip(p=p),
    "flip_vertical": lambda library, ends, size_px, p: library.VerticalFlip(p=p),
    "crop": _crop,
    "crop_and_pad": _crop_and_pad,
    "zoom": _zoom,
    "rotate": _rotate,
    "shear": _shear,
    "translate": _translate,
    "brightness": _colour("brightness"),
    "contrast": _colour("contrast"),
    "saturation": _colour("saturation"),
    "hue": _colour("hue"),
    "auto_contrast": lambda library, ends, size_px, p: library.AutoContrast(method="pil", p=p),
    "equalize": lambda library, ends, size_px, p: library.Equalize(mode="pil", p=p),
    "posterize": _posterize,
    "solarize": _solarize,
    "sharpness": _sharpen,
    "blur": _blur,
    "noise": lambda library, ends, size_px, p: library.GaussNoise(std_range=ends, p=p),
    "jpeg_compression": _compress,
    "random_erasing": lambda library, ends, size_px, p: library.Erasing(
        scale=ends, ratio=(0.3, 1 / 0.3), fill="random", p=p
    ),
}


def _pool(library: Any, policy: RandAugmentPolicy, label: str, size_px: int) -> Any:
    """Return RandAugment: so many operations of the pool, at about the magnitude."""
    low = max(0.0, policy.magnitude - policy.deviation) / 10
    high = min(10.0, policy.magnitude + policy.deviation) / 10
    pool = []
    for operation in policy.pool:
        if label in operation.exceptions:
            # A placeholder, so that the other operations are drawn as often as with Keras.
            pool.append(library.NoOp(p=1.0))
            continue
        if operation.range is None:
            pool.append(transform(library, operation, size_px))
            continue
        neutral, strongest = operation.range
        reach = strongest - neutral
        sides = (1,) if operation.name in ONE_SIDED else (1, -1)
        ways = [
            sorted((neutral + side * reach * low, neutral + side * reach * high)) for side in sides
        ]
        strengths = [operation.model_copy(update={"range": tuple(ends)}) for ends in ways]
        transforms = [transform(library, one, size_px) for one in strengths]
        pool.append(library.OneOf(transforms, p=1.0))
    return library.SomeOf(pool, n=policy.operations, replace=False, p=1.0)


def _mixed(
    pixels: Array, targets: Array, policy: Policy, numbers: np.random.Generator
) -> tuple[Array, Array]:
    """Return MixUp or CutMix of each image with the one before it; a batch takes one of them."""
    count, size = pixels.shape[:2]
    is_mixup = bool(policy.mixup) and (not policy.cutmix or numbers.random() < 0.5)
    alpha = policy.mixup if is_mixup else policy.cutmix
    share = numbers.beta(alpha, alpha, count).astype(np.float32)
    kept = np.broadcast_to(share[:, None, None, None], (count, size, size, 1))
    if not is_mixup:
        half, centre = np.sqrt(1 - share) * size / 2, numbers.random((2, count)) * size
        middle = np.arange(size) + 0.5
        rows, columns = (np.abs(middle - at[:, None]) < half[:, None] for at in centre)
        is_cut = rows[:, :, None] & columns[:, None, :]
        kept = 1 - is_cut[..., None].astype(np.float32)
    own = kept.mean(axis=(1, 2))
    mixed_targets = targets * own + np.roll(targets, 1, axis=0) * (1 - own)
    other = np.roll(pixels, 1, axis=0)
    mixed: Array = other + kept * (pixels - other)
    return mixed.astype(np.float32), mixed_targets.astype(np.float32)
