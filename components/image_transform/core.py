"""One shard of encoded examples -> one shard of pixels, by TensorFlow without TFX or Beam."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import tensorflow as tf

from contracts.artifacts import features
from contracts.artifacts.image_dataset import transformed_example
from contracts.config.preprocessing import PreprocessingConfig
from contracts.system.atomic_files import whole_file
from contracts.system.errors import ComponentError
from contracts.system.progress import report_progress
from trainer.preprocessing import decode_and_resize
from trainer.tf_data import without_autotune

# Images that leave the TensorFlow graph at a time.
BATCH = 64

DecodedExample = tuple[bytes, bytes, bytes, bytes]  # pixels, label, sha256, path

PARSED = {
    name: tf.io.FixedLenFeature([], tf.string)
    for name in (features.ENCODED, features.LABEL, features.SHA256, features.PATH)
}


def read_labels(examples_uri: str) -> tuple[str, ...]:
    """Return the class names of an ingested folder, in index order.

    Raises:
      ComponentError: the artifact has no list of labels.
    """
    path = Path(examples_uri, features.LABELS_FILE)
    if not path.is_file():
        raise ComponentError(
            f"ImageTransform: expected the class names in {path}, found no such file. "
            "ImageExampleGen writes it; another ExampleGen has to bring it as a JSON list."
        )
    return tuple(json.loads(path.read_text(encoding="utf-8")))


def transform_shard(
    source: Path, target: Path, label_indices: Mapping[str, int], config: PreprocessingConfig
) -> tuple[int, ...]:
    """Write the pixels of every example of `source` to `target`, in order; count the labels.

    `target` appears whole or not at all. Pixels are the result of `decode_and_resize`, bit for bit,
    as raw bytes: no encoding is faster to read.

    Raises:
      ComponentError: an image cannot be decoded, or has a label that is not in the list.
    """
    counts = [0] * len(label_indices)
    written = 0
    with (
        whole_file(target) as partial,
        tf.io.TFRecordWriter(str(partial.path)) as writer,
    ):
        for pixels, label, sha256, path in _rows(source, config):
            index = label_indices.get(label.decode("utf-8"))
            if index is None:
                raise ComponentError(
                    f"ImageTransform: {path.decode()}: expected one of {len(label_indices)} "
                    f"known labels, received {label.decode()!r}."
                )
            writer.write(transformed_example(pixels, index, sha256, path))
            counts[index] += 1
            written += 1
            if written % BATCH == 0:
                report_progress(written, 0, "images", f"of {source.parent.name}/{source.name}")
    return tuple(counts)


def _rows(source: Path, config: PreprocessingConfig) -> Iterator[DecodedExample]:
    dataset = (
        tf.data.TFRecordDataset(str(source), buffer_size=8 * 2**20)
        .map(lambda serialised: _decode(serialised, config), num_parallel_calls=tf.data.AUTOTUNE)
        .batch(BATCH)
        .prefetch(tf.data.AUTOTUNE)
    )
    try:
        for pixels, labels, digests, paths in without_autotune(dataset).as_numpy_iterator():
            for row in zip(pixels, labels, digests, paths, strict=True):
                yield row[0].tobytes(), row[1], row[2], row[3]
    except tf.errors.InvalidArgumentError as error:
        raise ComponentError(_undecodable(source, config)) from error


def _decode(serialised: tf.Tensor, config: PreprocessingConfig) -> tuple[tf.Tensor, ...]:
    parsed = tf.io.parse_single_example(serialised, PARSED)
    pixels = decode_and_resize(parsed[features.ENCODED], config)
    return pixels, parsed[features.LABEL], parsed[features.SHA256], parsed[features.PATH]


def _undecodable(source: Path, config: PreprocessingConfig) -> str:
    """Return the sentence that names the first image of a shard that TensorFlow cannot read."""
    for serialised in tf.data.TFRecordDataset(str(source)):
        try:
            parsed = tf.io.parse_single_example(serialised, PARSED)
        except tf.errors.InvalidArgumentError:
            break
        try:
            decode_and_resize(parsed[features.ENCODED], config)
        except tf.errors.InvalidArgumentError as error:
            path = parsed[features.PATH].numpy().decode("utf-8", "backslashreplace")
            return (
                f"ImageTransform: {path}: expected a JPEG or PNG that TensorFlow decodes "
                f"({error.message}). Remove the file or save it anew."
            )
    return f"ImageTransform: {source}: expected tf.Examples of {', '.join(PARSED)}."
