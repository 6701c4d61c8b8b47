"""Which split an image goes to, where the data does not say.

Every image has a key, its group or else the SHA-256 of its bytes, and the key alone decides:
hashed to a position in [0, 1), it falls into the share of one split. So exact duplicates and
groups never stand on two sides, names and order play no part, and images that are added later
move none of the older ones. Of a large class shares are met on average.

Chance is not good enough where a class is small: its keys are all known before anything is cut, and
those nearest to the boundaries are moved until each split has its part of the class, to the image
where groups and copies allow. Moves are remembered beside the data they were made for, and a key
that a previous ingestion holds is not moved any more: added images repair the balance among
themselves.
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
    from components.image_example_gen.listing.catalogue import Layout

# A class is always looked at if chance would leave a split without it more often than this, and up
# to so many keys while the classes looked at, from the smallest one on, are not more files than
# reading them ahead is worth.
_NEGLIGIBLE = 1e-9
_STRATIFIED_KEYS = 1000
_STRATIFIED_FILES = 50_000
# Below this size a few damaged files could empty a split: they do not count as images then.
_CHECKED_CLASS_SIZE = 64

_ROUNDING = 1e-9  # of shares, whose sum is not quite 1

SplitByKey = dict[str, str]  # split by key


@dataclass(frozen=True)
class SplitPlan:
    """Shares of [0, 1) in the order of `features.SPLITS`, and the keys that were moved.

    `shares` names only the splits that images without a split can go to.
    """

    shares: Mapping[str, float]
    moved: SplitByKey = field(default_factory=dict)

    def split_of(self, file: ImageFile, sha256: str) -> str:
        """Return the split of `file`, whose bytes have this SHA-256 as lower-case hex."""
        if file.split in self.shares or file.split is None:
            return self.split_of_key(split_key(file.group, sha256))
        return file.split

    def split_of_key(self, key: str) -> str:
        """Return where a key was moved to, or else in whose share its position falls."""
        if key in self.moved:
            return self.moved[key]
        position, end = key_position(key), 0.0
        for split, share in self.shares.items():
            end += share
            if position < end:
                return split
        return split

    def distance(self, key: str, split: str) -> float:
        """Return how far the position of `key` is from the share of `split`."""
        start = 0.0
        for name, share in self.shares.items():
            if name == split:
                break
            start += share
        position = key_position(key)
        return max(start - position, position - (start + self.shares[split]), 0.0)


@dataclass(frozen=True)
class SmallClasses:
    """Labels of the classes whose keys have to be known before the splits are cut.

    Images of those in `checked` count if they can be decoded, of those in `hashed` if they can
    be read.
    """

    checked: list[str]
    hashed: list[str]


def plan_splits(layout: "Layout", parts: Mapping[str, int]) -> SplitPlan:
    """Return how splits are cut out of the training images.

    `parts` are the configured parts by split. A split that the data brings is left as it is.
    """
    brought = set(layout.splits) - {features.TRAIN}
    missing = [split for split in features.SPLITS if split not in brought]
    total = sum(parts[split] for split in missing)
    return SplitPlan({split: parts[split] / total for split in missing})


def key_position(key: str) -> float:
    """Return the position in [0, 1) that a key hashes to."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:7], "big") / 2**56


def split_key(group: str | None, sha256: str) -> str:
    """Return what decides the split of an image."""
    return f"group:{group}" if group else f"sha256:{sha256}"


def find_small_classes(layout: "Layout", plan: SplitPlan) -> SmallClasses:
    """Return the classes that chance might cut badly."""
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
    """Return `plan` with keys moved so that each split has its part of every class, where it can.

    The same keys give the same moves, in whatever order they come.

    Args:
      cut: the shares, and the keys that were moved before and stay where they are.
      keys: label and key of every readable training image of the small classes.
      settled: keys that were ingested before: they stay where they are, too.
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
    """Return how many of so many images each split should get: by largest remainder.

    None gets nothing while there is an image for each of them.
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
    """Moves keys between splits; a key may be of several classes, and stand for several images."""

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
        """Move the nearest keys to the splits that lack some; return whether there were any."""
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
        """Return how much nearer to their parts a move brings the classes of a key, in images."""
        here, gain = self._splits[key], 0
        for label, count in self._images[key].items():
            for split, more in ((here, -count), (to, count)):
                off = self._counts[label, split] - self._parts[label][split]
                gain += abs(off) - abs(off + more)
        return gain if here != to else 0

    def fill(self, label: str, split: str) -> None:
        """Move the nearest key that can be spared to `split` if `label` has none there.

        The last one of a class is spared only for training.
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
