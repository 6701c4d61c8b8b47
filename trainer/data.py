"""Transformed examples -> batches of pixels and one-hot labels."""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import tensorflow as tf

from contracts import features
from contracts.config import PreprocessingConfig
from contracts.image_reading import DEFAULT_READING, ImageReading
from contracts.tf_example import serialise
from contracts.whole_files import write_whole
from trainer.preprocessing import CHANNELS

# Bytes of pixels that one shuffle buffer may hold.
SHUFFLE_BYTES = 64 * 2**20


@dataclass(frozen=True)
class ImageDataset:
    """What a folder of transformed examples holds: `<uri>/Split-<name>/*` beside this record."""

    uri: str
    labels: tuple[str, ...]
    preprocessing: PreprocessingConfig
    examples: dict[str, int]  # per split
    reading: ImageReading = DEFAULT_READING
    fingerprint: str = ""  # of the images that it was made from
    is_augmented: bool = False  # changed copies of training images, to be united with the others
    united: tuple[str, ...] = ()  # folders of changed copies that are trained on too

    FILE = "image_dataset.json"

    @property
    def size_px(self) -> int:
        """Height and width of every image."""
        return self.preprocessing.image_size_px

    def write(self) -> None:
        """Put the record beside the splits."""
        record = asdict(self) | {"preprocessing": self.preprocessing.model_dump(mode="json")}
        del record["uri"], record["united"]
        write_whole(Path(self.uri, self.FILE), json.dumps(record, indent=1))

    @classmethod
    def read(cls, uri: str) -> "ImageDataset":
        """Return what the folder at `uri` says that it holds."""
        record = json.loads(Path(uri, cls.FILE).read_text(encoding="utf-8"))
        return cls(
            uri=uri,
            labels=tuple(record["labels"]),
            preprocessing=PreprocessingConfig.model_validate(record["preprocessing"]),
            examples=record["examples"],
            reading=ImageReading(**record["reading"]),
            fingerprint=record["fingerprint"],
            is_augmented=record.get("is_augmented", False),
        )

    @classmethod
    def unite(cls, uris: Iterable[str]) -> "ImageDataset":
        """Return the one data set among the folders, together with changed copies in the others.

        Copies are trained on alone: every other split stays as it is.
        """
        found = [cls.read(uri) for uri in sorted(set(uris))]
        (own,) = (dataset for dataset in found if not dataset.is_augmented)
        copies = [dataset for dataset in found if dataset.is_augmented]
        training = sum(dataset.examples[features.TRAIN] for dataset in (own, *copies))
        return replace(
            own,
            examples={**own.examples, features.TRAIN: training},
            united=tuple(dataset.uri for dataset in copies),
        )

    def files(self, split: str) -> list[str]:
        """Return the TFRecord files of a split, in order."""
        uris = [self.uri, *(self.united if split == features.TRAIN else ())]
        return [str(path) for uri in uris for path in sorted(Path(uri, f"Split-{split}").glob("*"))]


def batches(
    dataset: ImageDataset, split: str, batch_size: int, shuffle_seed: int | None = None
) -> tf.data.Dataset:
    """Return the split as batches; with a seed, shuffled anew in every pass over it.

    Args:
      dataset: where the examples are.
      split: one of `features.SPLITS`.
      batch_size: images a batch; the last one may be smaller.
      shuffle_seed: the order of every pass follows from it; None keeps the files' order.

    Returns:
      (float32 [batch, size_px, size_px, 3] in 0..255, float32 [batch, classes] one-hot).
    """
    records = tf.data.TFRecordDataset(dataset.files(split), buffer_size=8 * 2**20)
    if shuffle_seed is not None:
        image_bytes = dataset.size_px**2 * CHANNELS
        window = max(batch_size, min(dataset.examples[split], SHUFFLE_BYTES // image_bytes))
        records = records.shuffle(window, seed=shuffle_seed)
    batched = records.batch(batch_size, num_parallel_calls=tf.data.AUTOTUNE)
    parsed = batched.map(
        lambda serialised: _parse(serialised, dataset.size_px, len(dataset.labels)),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    steps = -(-dataset.examples[split] // batch_size)
    return parsed.apply(tf.data.experimental.assert_cardinality(steps)).prefetch(tf.data.AUTOTUNE)


def changed_batches(
    batched: tf.data.Dataset, change: Callable[[Any, Any], tuple[Any, Any]]
) -> tf.data.Dataset:
    """Return the batches after `change`, a function of numpy arrays, one after the other.

    It gets and gives what `batches` gives, and may keep count of its calls.
    """

    def changed(pixels: tf.Tensor, targets: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        both = tf.numpy_function(change, (pixels, targets), (tf.float32, tf.float32))
        return tf.ensure_shape(both[0], pixels.shape), tf.ensure_shape(both[1], targets.shape)

    return batched.map(changed).prefetch(tf.data.AUTOTUNE)


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


def _parse(serialised: tf.Tensor, size_px: int, classes: int) -> tuple[tf.Tensor, tf.Tensor]:
    spec = {
        features.PIXELS: tf.io.FixedLenFeature([], tf.string),
        features.LABEL_INDEX: tf.io.FixedLenFeature([], tf.int64),
    }
    parsed = tf.io.parse_example(serialised, spec)
    flat = tf.io.decode_raw(parsed[features.PIXELS], tf.uint8)
    pixels = tf.reshape(flat, [-1, size_px, size_px, CHANNELS])
    return tf.cast(pixels, tf.float32), tf.one_hot(parsed[features.LABEL_INDEX], classes)
