"""Which split an image goes to, where the data does not say.

Every image has a key, its group or else the SHA-256 of its bytes, and the key alone decides:
hashed to a position in [0, 1), it falls into the share of one split. So exact duplicates and
groups never stand on two sides, names and order play no part, and images that are added later
move none of the older ones. The price is that shares are met only on average: stability was
preferred to exact balance.

One exception makes small data usable. Where a class would have no image at all in one of the
splits, the nearest key that its own split can spare is moved there. Only classes too small for
chance to serve them all are looked at. Moves are remembered beside the data they were made for,
so that images which are added later undo none of them.
"""

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from components.image_example_gen.listing import ImageFile
from contracts import features

if TYPE_CHECKING:
    from components.image_example_gen.catalogue import Layout

# A class is small if chance would leave a split without it more often than this.
_NEGLIGIBLE = 1e-9
# Below this size a few damaged files could empty a split: they do not count as images then.
_CHECKED_CLASS_SIZE = 64

Assigned = dict[str, str]  # split by key


@dataclass(frozen=True)
class Cut:
    """Shares of [0, 1) in the order of `features.SPLITS`, and the keys that were moved.

    `shares` names only the splits that images without a split can go to.
    """

    shares: Mapping[str, float]
    moved: Assigned = field(default_factory=dict)

    def split_of(self, file: ImageFile, sha256: str) -> str:
        """Return the split of `file`, whose bytes have this SHA-256 as lower-case hex."""
        if file.split in self.shares or file.split is None:
            return self.split_of_key(key_of(file, sha256))
        return file.split

    def split_of_key(self, key: str) -> str:
        """Return where a key was moved to, or else in whose share its position falls."""
        if key in self.moved:
            return self.moved[key]
        position, end = position_of(key), 0.0
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
        position = position_of(key)
        return max(start - position, position - (start + self.shares[split]), 0.0)


@dataclass(frozen=True)
class SmallClasses:
    """Training files whose keys have to be known before the splits are cut.

    Those in `checked` are to be decoded whole, those in `hashed` only to be read.
    """

    checked: list[ImageFile]
    hashed: list[ImageFile]


def cut_of(
    layout: "Layout", parts: Mapping[str, int], moved: Mapping[str, str] | None = None
) -> Cut:
    """Return how splits are cut out of the training images.

    `parts` are the configured parts by split. A split that the data brings is left as it is.
    `moved` are keys that were moved before, to these splits.
    """
    brought = set(layout.splits) - {features.TRAIN}
    cut = [split for split in features.SPLITS if split not in brought]
    total = sum(parts[split] for split in cut)
    stays = {key: split for key, split in (moved or {}).items() if split in cut}
    return Cut({split: parts[split] / total for split in cut}, stays)


def position_of(key: str) -> float:
    """Return the position in [0, 1) that a key hashes to."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:7], "big") / 2**56


def key_of(file: ImageFile, sha256: str) -> str:
    """Return what decides the split of `file`."""
    return f"group:{file.group}" if file.group else f"sha256:{sha256}"


def small_classes(layout: "Layout", cut: Cut) -> SmallClasses:
    """Return the files of the classes that chance might leave out of a split."""
    if len(cut.shares) == 1:
        return SmallClasses([], [])
    keys = layout.catalogue.keys_to_cut()
    limit = math.log(_NEGLIGIBLE) / math.log1p(-min(cut.shares.values()))
    checked = [label for label, count in keys.items() if count < _CHECKED_CLASS_SIZE]
    hashed = [label for label, count in keys.items() if _CHECKED_CLASS_SIZE <= count < limit]
    return SmallClasses(
        layout.catalogue.files_to_cut(checked), layout.catalogue.files_to_cut(hashed)
    )


def with_moves(cut: Cut, keys: Iterable[tuple[str, str]]) -> Cut:
    """Return `cut` with keys moved so that every class stands in every split, where it can.

    Args:
      cut: the shares, and the keys that were moved before and stay where they are.
      keys: label and key of every readable training image of the small classes.
    """
    mover = _Mover(cut, sorted(set(keys)))
    for split in cut.shares:
        for label in mover.labels:
            mover.fill(label, split)
    return Cut(cut.shares, mover.moved)


class _Mover:
    """Moves keys between splits, the last one of a class only for training."""

    def __init__(self, cut: Cut, keys: Sequence[tuple[str, str]]) -> None:
        self.moved: Assigned = dict(cut.moved)
        self._cut = cut
        self._keys: dict[str, list[str]] = defaultdict(list)
        self._labels: dict[str, list[str]] = defaultdict(list)
        for label, key in keys:
            self._keys[label].append(key)
            self._labels[key].append(label)
        self._splits = {key: cut.split_of_key(key) for key in self._labels}
        self._counts = Counter((label, self._splits[key]) for label, key in keys)
        self.labels = sorted(self._keys)

    def fill(self, label: str, split: str) -> None:
        """Move the nearest key that can be spared to `split` if `label` has none there."""
        if self._counts[label, split]:
            return
        spare = [key for key in self._keys[label] if split == features.TRAIN or self._is_spare(key)]
        if not spare:
            return
        nearest = min(spare, key=lambda key: (self._cut.distance(key, split), key))
        for owner in self._labels[nearest]:
            self._counts[owner, self._splits[nearest]] -= 1
            self._counts[owner, split] += 1
        self._splits[nearest] = self.moved[nearest] = split

    def _is_spare(self, key: str) -> bool:
        split = self._splits[key]
        return all(self._counts[label, split] > 1 for label in self._labels[key])
