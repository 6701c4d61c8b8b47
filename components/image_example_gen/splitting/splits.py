"""Assigns images to splits, if the data has no splits of its own.

Every image has a key: its group, or else the SHA-256 of its bytes. The key is hashed to a position
in [0, 1), which lies in the share of one split. So exact duplicates and groups are never in two
splits, names and order do not matter, and images that are added later move no older one. In a large
class the shares are met on average.

In a small class chance is too coarse. All its keys are read first, and the keys nearest to the
boundaries are moved until each split has its part of the class, to the image if groups and copies
allow. The moves are stored in the manifest. A key of a previous ingestion is not moved any more:
only added images are moved to repair the balance.
"""

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from components.image_example_gen.listing.entries import ImageFile
from contracts.artifacts import features

if TYPE_CHECKING:
    from components.image_example_gen.listing.layout import Layout

# All keys of a class are read if chance would leave a split without the class with a probability
# above this. Classes of up to so many keys are read too, the smallest first, up to so many files.
_NEGLIGIBLE = 1e-9
_STRATIFIED_KEYS = 1000
_STRATIFIED_FILES = 50_000
# In a smaller class a few damaged files could empty a split: they are found and do not count.
_CHECKED_CLASS_SIZE = 64

_ROUNDING = 1e-9  # of shares, whose sum is not quite 1

SplitByKey = dict[str, str]  # split by key


@dataclass(frozen=True)
class SplitPlan:
    """Shares of [0, 1) in the order of `features.SPLITS`, and the keys that were moved.

    `shares` holds only the splits that images without a split are assigned to.
    """

    shares: Mapping[str, float]
    moved: SplitByKey = field(default_factory=dict)

    def split_of(self, file: ImageFile, sha256: str) -> str:
        """Return the split of `file`, whose bytes have this SHA-256 as lower-case hex."""
        if file.split in self.shares or file.split is None:
            return self.split_of_key(split_key(file.group, sha256))
        return file.split

    def split_of_key(self, key: str) -> str:
        """Return the split that a key was moved to, or else the split of its position."""
        if key in self.moved:
            return self.moved[key]
        position, end = key_position(key), 0.0
        for split, share in self.shares.items():
            end += share
            if position < end:
                return split
        return split

    def distance(self, key: str, split: str) -> float:
        """Return the distance from the position of `key` to the share of `split`."""
        start = 0.0
        for name, share in self.shares.items():
            if name == split:
                break
            start += share
        position = key_position(key)
        return max(start - position, position - (start + self.shares[split]), 0.0)


@dataclass(frozen=True)
class SmallClasses:
    """Labels of the classes whose keys are read before the images are assigned.

    Images of classes in `checked` count if they can be decoded, those of classes in `hashed` if
    they can be read.
    """

    checked: list[str]
    hashed: list[str]


def plan_splits(layout: "Layout", parts: Mapping[str, int]) -> SplitPlan:
    """Return the shares of the splits that are cut out of the training images.

    `parts` are the configured parts by split. A split of the data itself is left as it is.
    """
    brought = set(layout.splits) - {features.TRAIN}
    missing = [split for split in features.SPLITS if split not in brought]
    total = sum(parts[split] for split in missing)
    return SplitPlan({split: parts[split] / total for split in missing})


def key_position(key: str) -> float:
    """Return the position of a key in [0, 1), by its hash."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:7], "big") / 2**56


def split_key(group: str | None, sha256: str) -> str:
    """Return the key of an image, which decides its split."""
    return f"group:{group}" if group else f"sha256:{sha256}"


def find_small_classes(layout: "Layout", plan: SplitPlan) -> SmallClasses:
    """Return the classes in which chance may miss the shares."""
    small = SmallClasses([], [])
    if len(plan.shares) == 1:
        return small
    needed = math.log(_NEGLIGIBLE) / math.log1p(-min(plan.shares.values()))
    files = 0
    sizes = layout.catalogue.sizes_to_cut()
    for label, (keys, size) in sorted(sizes.items(), key=lambda item: (item[1], item[0])):
        files += size
        if keys < _CHECKED_CLASS_SIZE:
            small.checked.append(label)
        elif keys < needed or (keys <= _STRATIFIED_KEYS and files <= _STRATIFIED_FILES):
            small.hashed.append(label)
    return small


def balance_splits(
    plan: SplitPlan, keys: Iterable[tuple[str, str]], settled: Collection[str] = frozenset()
) -> SplitPlan:
    """Return `plan` with keys moved so that each split has its part of every class, if possible.

    The moves do not depend on the order of the keys.

    Args:
      plan: the shares, and the keys that were moved before; these stay.
      keys: label and key of every readable training image of the small classes.
      settled: keys that were ingested before; these stay too.
    """
    mover = _Mover(plan, Counter(keys), settled)
    for label in mover.labels:
        while mover.balance(label):
            pass
    for split in plan.shares:
        for label in mover.labels:
            mover.fill(label, split)
    return SplitPlan(plan.shares, mover.moved)


def split_sizes(images: int, shares: Mapping[str, float]) -> dict[str, int]:
    """Return the number of images for each split, by the largest remainder.

    Every split gets an image if there are enough.
    """
    exact = {split: images * share for split, share in shares.items()}
    parts = {split: math.floor(part + _ROUNDING) for split, part in exact.items()}
    by_remainder = sorted(exact, key=lambda split: parts[split] - exact[split])
    for split in by_remainder[: images - sum(parts.values())]:
        parts[split] += 1
    for split in shares:
        if images >= len(shares) and not parts[split]:
            parts[max(parts, key=lambda name: parts[name])] -= 1
            parts[split] = 1
    return parts


class _Mover:
    """Moves keys between splits; a key may belong to several classes and several images."""

    def __init__(
        self, plan: SplitPlan, images: Counter[tuple[str, str]], settled: Collection[str]
    ) -> None:
        self.moved: SplitByKey = dict(plan.moved)
        self._plan = plan
        self._images: dict[str, dict[str, int]] = defaultdict(dict)  # by key and label
        self._keys: dict[str, list[str]] = defaultdict(list)  # that may be moved, by label
        self._counts: Counter[tuple[str, str]] = Counter()
        for (label, key), count in sorted(images.items()):
            self._images[key][label] = count
            self._counts[label, plan.split_of_key(key)] += count
            if key not in settled and key not in self.moved:
                self._keys[label].append(key)
        self._splits = {key: plan.split_of_key(key) for key in self._images}
        self.labels = sorted({label for label, _ in images})
        self._parts = {
            label: split_sizes(
                sum(self._counts[label, split] for split in plan.shares), plan.shares
            )
            for label in self.labels
        }

    def balance(self, label: str) -> bool:
        """Move the nearest keys to the splits that lack images; return whether any was moved."""
        has_moved = False
        for split in self._plan.shares:
            by_distance = sorted(
                self._keys[label], key=lambda key: (self._plan.distance(key, split), key)
            )
            for key in by_distance:
                if self._counts[label, split] >= self._parts[label][split]:
                    break
                if self._gain(key, split) > 0:
                    self._move(key, split)
                    has_moved = True
        return has_moved

    def _gain(self, key: str, to: str) -> int:
        """Return by how many images a move brings the classes of a key nearer to their parts."""
        here, gain = self._splits[key], 0
        for label, count in self._images[key].items():
            for split, more in ((here, -count), (to, count)):
                off = self._counts[label, split] - self._parts[label][split]
                gain += abs(off) - abs(off + more)
        return gain if here != to else 0

    def fill(self, label: str, split: str) -> None:
        """Move the nearest spare key to `split` if the class has no image there.

        The last image of a class in a split is moved only to the split train.
        """
        if self._counts[label, split]:
            return
        spare = [key for key in self._keys[label] if split == features.TRAIN or self._is_spare(key)]
        if spare:
            nearest = min(spare, key=lambda key: (self._plan.distance(key, split), key))
            self._move(nearest, split)

    def _move(self, key: str, to: str) -> None:
        for label, count in self._images[key].items():
            self._counts[label, self._splits[key]] -= count
            self._counts[label, to] += count
        self._splits[key] = self.moved[key] = to

    def _is_spare(self, key: str) -> bool:
        split = self._splits[key]
        return all(self._counts[label, split] > count for label, count in self._images[key].items())
