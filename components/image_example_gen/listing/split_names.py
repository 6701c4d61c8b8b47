"""Names of splits, as people write them."""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from contracts.artifacts import features
from contracts.system.unicode_form import composed

_WORDS: Final = {
    "train": features.TRAIN,
    "training": features.TRAIN,
    "val": features.VALIDATION,
    "valid": features.VALIDATION,
    "validation": features.VALIDATION,
    "dev": features.VALIDATION,
    "eval": features.VALIDATION,
    "evaluation": features.VALIDATION,
    "test": features.TEST,
    "testing": features.TEST,
}
# Words without a meaning for the split: `training_set`, `test-images`, `valdata`.
_FILLERS: Final = (
    *("dataset", "set", "data", "split", "subset", "images", "image", "imgs", "img"),
    *("pictures", "photos", "files", "folder", "dir"),
)
_WORD: Final = re.compile(r"[^\W\d_]+|\d+")


class SplitName(NamedTuple):
    """A name with the word of one split; `stem` holds its other words.

    `seg_train` and `seg_test` have one stem. The stem of `train` and of `test-images` is empty.
    """

    split: str
    stem: tuple[str, ...]


@lru_cache(maxsize=4096)
def split_name(name: str) -> SplitName | None:
    """Return split and stem of a name; None if it holds the word of no split, or of several."""
    words = [_bare(word) for word in _WORD.findall(composed(name).casefold())]
    splits = [_WORDS[word] for word in words if word in _WORDS]
    if len(splits) != 1:
        return None
    stem = tuple(word for word in words if word not in _WORDS and word not in _FILLERS)
    return SplitName(splits[0], stem)


def split_of(name: str) -> str | None:
    """Return the split of a name without a stem; None for any other name."""
    found = split_name(name)
    return found.split if found and not found.stem else None


def _bare(word: str) -> str:
    """Return the word of a split without a filler that is joined to it."""
    if word.endswith(_FILLERS):
        bare = (word.removesuffix(filler) for filler in _FILLERS)
        return next((one for one in bare if one in _WORDS), word)
    return word
