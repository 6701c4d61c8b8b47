"""Finds operations that make images of one class look like another class, by a quick probe.

The probe is a nearest-neighbour classifier of small originals that tolerates small shifts. It
classifies each image before and after the operation, by the other images alone. An image that it
recognises before, but takes for another class afterwards, has lost its meaning: a mirrored 2, a 6
upside down. After a move, a change of light or a blur, the nearest neighbour is still of the class
of the image.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from components.augmenter.batch_augmenter import AugmentBatch
from components.augmenter.probe_sample import ProbeSample
from contracts.artifacts.augmentation_report import Confusion, ProbeReport
from contracts.config.augmentation.policy import Policy
from contracts.statistics.wilson import wilson_interval

Array = npt.NDArray[Any]

# Side of the images that the probe classifies: enough to recognise the object.
SIDE_PX: Final = 32
_CELLS, _COLOUR_CELLS = 16, 4
_SHIFTS: Final = tuple((y, x) for y in (-1, 0, 1) for x in (-1, 0, 1))

# The probe ignores a class that it recognises less often, or in fewer images. It gives no result at
# all where its accuracy over all classes is below this.
LEAST_RECALL: Final = 0.7
LEAST_IMAGES: Final = 8

# A warning needs this share of the class to be lost (lower end of the confidence interval), and
# this share to be taken for the same other class.
LEAST_LOSS: Final = 0.3
LEAST_TAKEN: Final = 0.2
_CHANCE_OF_ERROR: Final = 0.01  # over all classes of an operation together


def probe(
    sample: ProbeSample, labels: Sequence[str], changes: Mapping[str, tuple[Policy, AugmentBatch]]
) -> ProbeReport:
    """Return the operations that make one class look like another.

    Args:
      sample: training images.
      labels: the classes.
      changes: operations by name, each as a policy and as its function.
    """
    small = ProbeSample(shrink(sample.pixels, SIDE_PX), sample.classes)
    neighbours = _Neighbours(small, len(labels))
    found = neighbours.nearest(_extract_features(small.pixels))
    is_right = found == small.classes
    accuracy = float(is_right.mean()) if len(small) else 0.0
    learned, notes = _find_recognised(is_right, small.classes, labels)
    if accuracy < LEAST_RECALL or len(learned) < 2:
        notes = [_explain_no_result(accuracy, len(small), len(learned))]
        return ProbeReport(len(small), accuracy, {}, notes)
    confusions = {}
    for name, (policy, change) in changes.items():
        pixels, _ = change(small.pixels, small.targets(len(labels)))
        taken = neighbours.nearest(_extract_features(pixels))
        judged = learned - _find_spared(policy, labels)
        worst = list(_find_confusions(taken[is_right], small.classes[is_right], judged, labels))
        if worst:
            confusions[name] = sorted(worst, key=lambda one: -one.taken)
    return ProbeReport(len(small), accuracy, confusions, notes)


def _explain_no_result(accuracy: float, images: int, learned: int) -> str:
    """Return why the probe gives no result: its accuracy, or too few recognised classes."""
    if accuracy < LEAST_RECALL:
        why = f"recognises {accuracy:.0%} of {images:,} images, too few (below {LEAST_RECALL:.0%})"
    else:
        why = (
            f"recognises {learned} of the classes well enough ({LEAST_RECALL:.0%} and "
            f"{LEAST_IMAGES} images of each), too few (below 2)"
        )
    return f"The probe {why} to say whether an operation makes classes look alike."


def _find_recognised(
    is_right: Array, classes: Array, labels: Sequence[str]
) -> tuple[set[int], list[str]]:
    """Return the classes that the probe recognises well enough, and a note on the others."""
    right = np.bincount(classes[is_right], minlength=len(labels))
    there = np.bincount(classes, minlength=len(labels))
    is_learned = (right >= LEAST_IMAGES) & (right >= LEAST_RECALL * there)
    if is_learned.all():
        return set(range(len(labels))), []
    others = [label for label, known in zip(labels, is_learned, strict=True) if not known]
    return set(np.flatnonzero(is_learned).tolist()), [
        f"The probe cannot tell what operations do to {len(others)} of {len(labels)} classes, "
        f"which it does not recognise well enough, e.g. {', '.join(others[:3])}."
    ]


def _find_spared(policy: Policy, labels: Sequence[str]) -> set[int]:
    spared = {label for operation in policy.operations for label in operation.exceptions}
    return {index for index, label in enumerate(labels) if label in spared}


def _find_confusions(
    taken: Array, classes: Array, judged: Iterable[int], labels: Sequence[str]
) -> Iterable[Confusion]:
    for index in judged:
        of_class = taken[classes == index]
        counts = np.bincount(of_class, minlength=len(labels))
        lost = len(of_class) - int(counts[index])
        counts[index] = 0
        other, images = int(counts.argmax()), len(of_class)
        share = float(counts[other] / images)
        if _lower_bound(lost, images, len(labels)) >= LEAST_LOSS and share >= LEAST_TAKEN:
            yield Confusion(labels[index], labels[other], images, lost / images, share)


def _lower_bound(count: int, images: int, tests: int) -> float:
    """Return the lower end of a share's one-sided confidence interval."""
    return wilson_interval(count / images, images, 1 - 2 * _CHANCE_OF_ERROR / tests)[0]


class _Neighbours:
    """A nearest-neighbour classifier of the originals, each also shifted a little to all sides."""

    def __init__(self, sample: ProbeSample, count: int) -> None:
        self._classes = [np.flatnonzero(sample.classes == index) for index in range(count)]
        step = SIDE_PX // _CELLS
        padded = np.pad(sample.pixels, [(0, 0), (step, step), (step, step), (0, 0)], mode="edge")
        self._shifted = [
            _extract_features(
                padded[
                    :,
                    step * (1 + y) : step * (1 + y) + SIDE_PX,
                    step * (1 + x) : step * (1 + x) + SIDE_PX,
                ]
            )
            for y, x in _SHIFTS
        ]

    def nearest(self, images: Array) -> Array:
        """Return the class of the nearest other image, for images in the order of the sample."""
        best = np.full((len(images), len(self._classes)), np.inf, np.float32)
        squares = np.square(images).sum(axis=1)[:, None]
        for others in self._shifted:
            distances = squares + np.square(others).sum(axis=1) - 2 * images @ others.T
            np.fill_diagonal(distances, np.inf)  # an image is no neighbour of itself
            for index, rows in enumerate(self._classes):
                if len(rows):
                    best[:, index] = np.minimum(best[:, index], distances[:, rows].min(axis=1))
        classes: Array = best.argmin(axis=1)
        return classes


def shrink(pixels: Array, side_px: int) -> Array:
    """Return images of another side, float32 [images, side_px, side_px, 3] in 0..255."""
    from PIL import Image

    if pixels.shape[1] == side_px:
        return pixels.astype(np.float32)
    size = (side_px, side_px)
    small = [Image.fromarray(one).resize(size, Image.Resampling.BOX) for one in pixels]
    return np.stack([np.asarray(one, np.float32) for one in small])


def _extract_features(pixels: Array) -> Array:
    """Return blurred shapes of equal contrast, and colours, float32 [images, values].

    The mean colour is kept, for classes that differ only in it.
    """
    from scipy import ndimage

    scaled = pixels.astype(np.float32) / 255
    luma = _average_cells(scaled @ np.array([0.299, 0.587, 0.114], np.float32), _CELLS)
    luma = ndimage.gaussian_filter(luma, (0, 0.7, 0.7)).reshape(len(pixels), -1)
    luma = luma - luma.mean(axis=1, keepdims=True)
    shapes = luma / (np.linalg.norm(luma, axis=1, keepdims=True) + 0.1)
    differences = np.stack(
        [scaled[..., 0] - scaled[..., 1], scaled[..., 2] - scaled[..., 1]], axis=-1
    )
    tints = _average_cells(differences, _COLOUR_CELLS).reshape(len(pixels), -1) / _COLOUR_CELLS
    found: Array = np.concatenate([shapes, tints, scaled.mean(axis=(1, 2))], axis=1)
    return found.astype(np.float32)


def _average_cells(images: Array, count: int) -> Array:
    """Return the means of count x count cells of each image."""
    step = images.shape[1] // count
    split = images.reshape(len(images), count, step, count, step, -1).mean(axis=(2, 4))
    means: Array = split.squeeze(-1) if split.shape[-1] == 1 else split
    return means
