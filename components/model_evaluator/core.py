"""Predicts the test split through the serving signature, as a model server does."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import tensorflow as tf

from components.model_evaluator.metrics import ModelScores, measure
from contracts.artifacts import features, signatures
from contracts.artifacts.evaluation import PREDICTIONS_FILE, Metrics
from contracts.system.progress import report_progress
from serving.saved_model import IMAGES_A_STEP, load_signature
from trainer.tf_data import without_autotune

FEATURES = (features.ENCODED, features.LABEL, features.SHA256, features.PATH)


@dataclass
class _Answers:
    """The predicted labels of one model so far, and the probabilities of the true labels."""

    predicted: list[str] = field(default_factory=list)
    true_probability: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class BaselineModel:
    """The champion's SavedModel and its version in the registry."""

    folder: Path
    version: int


def evaluate(
    candidate: Path,
    baseline: BaselineModel | None,
    shards: Sequence[Path],
    target: Path,
) -> Metrics:
    """Predict every image of the shards with both models in one pass; return the metrics.

    Writes the predictions to `target`/predictions.parquet, a row an image: path, sha256, label,
    predicted, score, probabilities (float32, in the order of the column's metadata `classes`) and,
    where there is a champion, champion_predicted and champion_score. Only two labels per image stay
    in memory, not the probabilities.
    """
    models = {"candidate": load_signature(candidate)}
    if baseline is not None:
        models["champion"] = load_signature(baseline.folder)
    answers = {name: _Answers() for name in models}
    labels: list[str] = []
    with _PredictionsWriter(target / PREDICTIONS_FILE) as writer:
        for batch in _batches(shards):
            truth = [label.decode("utf-8") for label in batch[features.LABEL].numpy()]
            outputs = {name: model(batch[features.ENCODED]) for name, model in models.items()}
            for name, output in outputs.items():
                _note(answers[name], truth, output)
            labels += truth
            writer.write(batch, truth, outputs)
            report_progress(len(labels), 0, "test images")
    scores = {
        name: ModelScores(answer.predicted, answer.true_probability)
        for name, answer in answers.items()
    }
    version = baseline.version if baseline is not None else None
    return measure(labels, scores["candidate"], scores.get("champion"), version)


def _batches(shards: Sequence[Path]) -> Iterator[dict[str, tf.Tensor]]:
    spec = {name: tf.io.FixedLenFeature([], tf.string) for name in FEATURES}
    dataset = tf.data.TFRecordDataset([str(shard) for shard in shards]).batch(IMAGES_A_STEP)
    parsed = dataset.map(lambda serialised: tf.io.parse_example(serialised, spec))
    yield from without_autotune(parsed.prefetch(tf.data.AUTOTUNE))


def _note(answers: _Answers, truth: Sequence[str], output: dict[str, tf.Tensor]) -> None:
    classes = [name.decode("utf-8") for name in output[signatures.OUTPUT_CLASSES][0].numpy()]
    column = {name: index for index, name in enumerate(classes)}
    probabilities = output[signatures.OUTPUT_PROBABILITIES].numpy()
    answers.predicted += _text(output[signatures.OUTPUT_LABEL])
    # A label that the model does not know has probability 0.
    answers.true_probability += [
        float(row[column[label]]) if label in column else 0.0
        for label, row in zip(truth, probabilities, strict=True)
    ]


def _text(strings: tf.Tensor) -> list[str]:
    return [one.decode("utf-8", "backslashreplace") for one in strings.numpy()]


class _PredictionsWriter:
    """Writes batches to a Parquet file; the schema comes from the first one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> "_PredictionsWriter":
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()

    def write(
        self,
        batch: dict[str, tf.Tensor],
        truth: list[str],
        outputs: dict[str, dict[str, tf.Tensor]],
    ) -> None:
        candidate = outputs["candidate"]
        probabilities: np.ndarray[Any, np.dtype[np.float32]] = candidate[
            signatures.OUTPUT_PROBABILITIES
        ].numpy()
        columns: dict[str, Any] = {
            "path": _text(batch[features.PATH]),
            "sha256": _text(batch[features.SHA256]),
            "label": truth,
            "predicted": _text(candidate[signatures.OUTPUT_LABEL]),
            "score": candidate[signatures.OUTPUT_SCORE].numpy(),
            "probabilities": pa.FixedSizeListArray.from_arrays(
                probabilities.reshape(-1), probabilities.shape[1]
            ),
        }
        if "champion" in outputs:
            champion = outputs["champion"]
            columns["champion_predicted"] = _text(champion[signatures.OUTPUT_LABEL])
            columns["champion_score"] = champion[signatures.OUTPUT_SCORE].numpy()
        table = pa.table(columns)
        if self._writer is None:
            classes = _text(candidate[signatures.OUTPUT_CLASSES][0])
            schema = table.schema.with_metadata({"classes": "\n".join(classes)})
            self._writer = pq.ParquetWriter(self._path, schema)
        self._writer.write_table(table.replace_schema_metadata(self._writer.schema.metadata))
