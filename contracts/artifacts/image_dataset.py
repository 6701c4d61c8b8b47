"""Transformed examples: pixels and labels in TFRecords, and a record that describes them."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from contracts.artifacts import features
from contracts.artifacts.example_shards import split_folder
from contracts.artifacts.tf_example import serialise
from contracts.artifacts.tf_record import record_positions
from contracts.config.preprocessing import PreprocessingConfig
from contracts.images.reading import DEFAULT_READING, ImageReading
from contracts.system.atomic_files import write_whole

CHANNELS = 3

# Files are listed until there are so many records to draw a sample from.
LISTED_AT_MOST = 50_000


@dataclass(frozen=True)
class ImageDataset:
    """What a folder of transformed examples holds: `<uri>/Split-<name>/*` and this record."""

    uri: str
    labels: tuple[str, ...]
    preprocessing: PreprocessingConfig
    label_counts: dict[str, tuple[int, ...]]  # split -> examples of each label
    reading: ImageReading = DEFAULT_READING
    fingerprint: str = ""  # of the images that it was made from
    is_augmented: bool = False  # changed copies of training images, to be united with the others
    united: tuple[str, ...] = ()  # folders of changed copies that are trained on too

    FILE = "image_dataset.json"

    @property
    def size_px(self) -> int:
        """Height and width of every image."""
        return self.preprocessing.image_size_px

    @property
    def image_bytes(self) -> int:
        """Bytes of the pixels of an image."""
        return self.size_px**2 * CHANNELS

    @property
    def examples(self) -> dict[str, int]:
        """Examples of each split."""
        return {split: sum(counts) for split, counts in self.label_counts.items()}

    def write(self) -> None:
        """Put the record into the folder of the splits."""
        record = asdict(self) | {"preprocessing": self.preprocessing.model_dump(mode="json")}
        del record["uri"], record["united"]
        write_whole(Path(self.uri, self.FILE), json.dumps(record, indent=1))

    @classmethod
    def read(cls, uri: str) -> "ImageDataset":
        """Return the record in the folder at `uri`."""
        record = json.loads(Path(uri, cls.FILE).read_text(encoding="utf-8"))
        counts = {split: tuple(counts) for split, counts in record["label_counts"].items()}
        return cls(
            uri=uri,
            labels=tuple(record["labels"]),
            preprocessing=PreprocessingConfig.model_validate(record["preprocessing"]),
            label_counts=counts,
            reading=ImageReading(**record["reading"]),
            fingerprint=record["fingerprint"],
            is_augmented=record.get("is_augmented", False),
        )

    @classmethod
    def unite(cls, uris: Iterable[str]) -> "ImageDataset":
        """Return the one data set among the folders, together with changed copies in the others.

        The copies go into the training split only: all other splits stay as they are.
        """
        found = [cls.read(uri) for uri in sorted(set(uris))]
        (own,) = (dataset for dataset in found if not dataset.is_augmented)
        copies = [dataset for dataset in found if dataset.is_augmented]
        training = zip(*(one.label_counts[features.TRAIN] for one in (own, *copies)), strict=True)
        return replace(
            own,
            label_counts={**own.label_counts, features.TRAIN: tuple(map(sum, training))},
            united=tuple(dataset.uri for dataset in copies),
        )

    def files(self, split: str) -> list[Path]:
        """Return the TFRecord files of a split, in order."""
        uris = [self.uri, *(self.united if split == features.TRAIN else ())]
        return [path for uri in uris for path in sorted(split_folder(uri, split).glob("*"))]


def random_records(
    files: Sequence[Path], most: int, numbers: np.random.Generator
) -> list[tuple[Path, int]]:
    """Return records in random order, each as its file and its place there.

    If there are many, they are drawn from some random files only: the cost does not grow with the
    data.
    """
    places: list[tuple[Path, int]] = []
    for index in numbers.permutation(len(files)):
        if len(places) >= LISTED_AT_MOST:
            break
        path = files[index]
        places += [(path, position) for position in record_positions(path)]
    return [places[index] for index in numbers.permutation(len(places))[:most]]


def transformed_example(pixels: bytes, label_index: int, sha256: bytes, path: bytes) -> bytes:
    """Return one transformed image as a serialised tf.Example."""
    return serialise(
        {
            features.PIXELS: pixels,
            features.LABEL_INDEX: label_index,
            features.SHA256: sha256,
            features.PATH: path,
        }
    )
