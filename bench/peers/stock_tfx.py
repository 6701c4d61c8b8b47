"""The same DAG of TFX's own components, wired as TFX's documentation wires image pipelines.

TFX reads no image files: a loop writes them into TFRecords first, as in its CIFAR example.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf
import tensorflow_model_analysis as tfma
from tfx import v1 as tfx
from tfx.orchestration.metadata import sqlite_metadata_connection_config

from bench.peers.workload import Workload, parse_workload

RECORDS = "images.tfrecord"


def write_records(work: Workload) -> Path:
    """Write the images as they are, shuffled by their content, and return the folder."""
    folder = work.folder / "records"
    folder.mkdir(parents=True)
    with tf.io.TFRecordWriter(str(folder / RECORDS)) as writer:
        for image, label in _images(work.images):
            feature = {"image": _feature(image), "label": _feature(label)}
            example = tf.train.Example(features=tf.train.Features(feature=feature))
            writer.write(example.SerializeToString())
    return folder


def _images(root: Path) -> Iterator[tuple[bytes, bytes]]:
    paths = sorted(root.glob("*/*"), key=lambda path: hashlib.sha256(path.name.encode()).digest())
    for path in paths:
        yield path.read_bytes(), path.parent.name.encode()


def _feature(value: bytes) -> tf.train.Feature:
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))


def build_pipeline(work: Workload, records: Path) -> tfx.dsl.Pipeline:
    """Return ImportExampleGen to Pusher."""
    split = tfx.proto.SplitConfig.Split
    output = tfx.proto.Output(
        split_config=tfx.proto.SplitConfig(
            splits=[
                split(name="train", hash_buckets=7),
                split(name="validation", hash_buckets=1),
                split(name="test", hash_buckets=2),
            ]
        )
    )
    examples = tfx.components.ImportExampleGen(input_base=str(records), output_config=output)
    statistics = tfx.components.StatisticsGen(examples=examples.outputs["examples"])
    schema = tfx.components.SchemaGen(statistics=statistics.outputs["statistics"])
    validator = tfx.components.ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"]
    )
    config = {"work": work.arguments()}
    transform = tfx.components.Transform(
        examples=examples.outputs["examples"],
        schema=schema.outputs["schema"],
        preprocessing_fn="bench.peers.stock_functions.preprocessing_fn",
        custom_config={"size_px": work.size_px},
        splits_config=tfx.proto.SplitsConfig(
            analyze=["train"], transform=["train", "validation", "test"]
        ),
    )
    trainer = tfx.components.Trainer(
        run_fn="bench.peers.stock_functions.run_fn",
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        schema=schema.outputs["schema"],
        train_args=tfx.proto.TrainArgs(splits=["train"]),
        eval_args=tfx.proto.EvalArgs(splits=["validation"]),
        custom_config=config,
    )
    resolver = tfx.dsl.Resolver(
        strategy_class=tfx.dsl.experimental.LatestBlessedModelStrategy,
        model=tfx.dsl.Channel(type=tfx.types.standard_artifacts.Model),
        model_blessing=tfx.dsl.Channel(type=tfx.types.standard_artifacts.ModelBlessing),
    ).with_id("latest_blessed_model")
    evaluator = tfx.components.Evaluator(
        examples=examples.outputs["examples"],
        model=trainer.outputs["model"],
        baseline_model=resolver.outputs["model"],
        example_splits=["test"],
        eval_config=_eval_config(),
    )
    pusher = tfx.components.Pusher(
        model=trainer.outputs["model"],
        model_blessing=evaluator.outputs["blessing"],
        push_destination=tfx.proto.PushDestination(
            filesystem=tfx.proto.PushDestination.Filesystem(
                base_directory=str(work.folder / "serving")
            )
        ),
    )
    return tfx.dsl.Pipeline(
        pipeline_name="stock",
        pipeline_root=str(work.folder / "root"),
        components=[
            *(examples, statistics, schema, validator, transform),
            *(trainer, resolver, evaluator, pusher),
        ],
        enable_cache=True,
        metadata_connection_config=sqlite_metadata_connection_config(
            str(work.folder / "metadata.db")
        ),
        # Beam's default tries to download another runner first.
        beam_pipeline_args=[
            "--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner",
            "--direct_running_mode=in_memory",
        ],
    )


def _eval_config() -> tfma.EvalConfig:
    threshold = tfma.MetricThreshold(
        value_threshold=tfma.GenericValueThreshold(lower_bound={"value": 0.0}),
        change_threshold=tfma.GenericChangeThreshold(
            direction=tfma.MetricDirection.HIGHER_IS_BETTER, absolute={"value": -1.0}
        ),
    )
    accuracy = tfma.MetricConfig(class_name="SparseCategoricalAccuracy", threshold=threshold)
    return tfma.EvalConfig(
        model_specs=[
            tfma.ModelSpec(
                signature_name="serving_default",
                label_key="label_xf",
                preprocessing_function_names=["transform_features"],
            )
        ],
        slicing_specs=[tfma.SlicingSpec()],
        metrics_specs=[tfma.MetricsSpec(metrics=[accuracy])],
    )


if __name__ == "__main__":
    asked = parse_workload()
    tfx.orchestration.LocalDagRunner().run(build_pipeline(asked, write_records(asked)))
