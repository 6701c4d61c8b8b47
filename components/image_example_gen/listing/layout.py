"""The layout of a data root: its files and skipped entries, with what was inferred."""

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from components.image_example_gen.listing.catalogue import Catalogue, StoredEntries
from components.image_example_gen.listing.entries import ImageFile, SkippedFile
from contracts.artifacts import features
from contracts.system.storage.remote_path import Root

LayoutKind = Literal["classes", "splits", "csv"]


@dataclass(frozen=True)
class Layout:
    """Every entry found below `root`, sorted by path: `files` and `skipped` together.

    `description` tells in a few sentences what was inferred. `empty_classes` are the class folders
    without a file, `unused` the labels and folders without a file that is used. Only the digests
    in the catalogue change later.
    """

    kind: LayoutKind
    description: str
    root: Root
    catalogue: Catalogue
    empty_classes: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)

    @property
    def files(self) -> StoredEntries[ImageFile]:
        """The files at places where an image is expected."""
        return self.catalogue.files

    @property
    def skipped(self) -> StoredEntries[SkippedFile]:
        """The entries that are skipped."""
        return self.catalogue.skipped

    @cached_property
    def counts(self) -> Counter[tuple[str, str | None]]:
        """The number of files by label and split."""
        return self.catalogue.counts()

    @property
    def labels(self) -> list[str]:
        """The classes that have at least one file, sorted."""
        return sorted({label for label, _ in self.counts})

    @property
    def splits(self) -> list[str]:
        """The splits of the data itself, in the order of `features.SPLITS`."""
        brought = {split for _, split in self.counts}
        return [split for split in features.SPLITS if split in brought]

    @property
    def found(self) -> int:
        """The number of all entries."""
        return len(self.files) + len(self.skipped)
