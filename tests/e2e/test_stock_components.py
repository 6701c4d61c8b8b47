"""TFX's own components read our artifacts, and the other way round."""

from pathlib import Path

import pytest

from contracts.artifacts import features, signatures

tfma = pytest.importorskip("tensorflow_model_analysis")

from ml_metadata.metadata_store import MetadataStore  # noqa: E402
from tfx.components.evaluator.component import Evaluator  # noqa: E402
from tfx.components.pusher.component import Pusher  # noqa: E402
from tfx.components.pusher.executor import Executor as PusherExecutor  # noqa: E402
from tfx.dsl.components.common.importer import Importer  # noqa: E402
from tfx.orchestration.local.local_dag_runner import LocalDagRunner  # noqa: E402
from tfx.orchestration.metadata import sqlite_metadata_connection_config  # noqa: E402
from tfx.orchestration.pipeline import Pipeline  # noqa: E402
from tfx.proto import pusher_pb2  # noqa: E402
from tfx.types import artifact_utils, standard_artifacts  # noqa: E402
from tfx.utils import proto_utils  # noqa: E402

from pipeline.graph import BEAM_RUNNERS  # noqa: E402
from pipeline.local.launching.execution_records import ExecutionRecords  # noqa: E402


def output(project, component: str, key: str):
    """Return a component's artifact of the first run, as TFX hands it to an executor."""
    folders = (project.workspace / "pipeline" / component / key).iterdir()
    execution_id = min(int(folder.name) for folder in folders)
    found = ExecutionRecords(project.workspace / "metadata.db").outputs(execution_id)[key]
    store = MetadataStore(sqlite_metadata_connection_config(str(project.workspace / "metadata.db")))
    (artifact_type,) = store.get_artifact_types_by_id([found.type_id])
    return artifact_utils.deserialize_artifact(artifact_type, found)


def destination(folder: Path) -> pusher_pb2.PushDestination:
    filesystem = pusher_pb2.PushDestination.Filesystem(base_directory=str(folder))
    return pusher_pb2.PushDestination(filesystem=filesystem)


def test_tfx_evaluates_and_pushes_our_model_on_our_examples(digits, first, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["pytest"])
    examples = Importer(
        source_uri=output(digits, "ImageExampleGen", "examples").uri,
        artifact_type=standard_artifacts.Examples,
        properties={"split_names": artifact_utils.encode_split_names(list(features.SPLITS))},
    ).with_id("examples")
    model = Importer(
        source_uri=output(digits, "Trainer", "model").uri, artifact_type=standard_artifacts.Model
    ).with_id("model")
    bound = tfma.GenericValueThreshold(lower_bound={"value": 0.9})
    accuracy = tfma.MetricConfig(
        class_name="SparseCategoricalAccuracy",
        threshold=tfma.MetricThreshold(value_threshold=bound),
    )
    evaluator = Evaluator(
        examples=examples.outputs["result"],
        model=model.outputs["result"],
        example_splits=[features.TEST],
        eval_config=tfma.EvalConfig(
            model_specs=[
                tfma.ModelSpec(signature_name=signatures.SERVING_EXAMPLES, label_key=features.LABEL)
            ],
            slicing_specs=[tfma.SlicingSpec()],
            metrics_specs=[tfma.MetricsSpec(metrics=[accuracy])],
        ),
    )
    pusher = Pusher(
        model=model.outputs["result"],
        model_blessing=evaluator.outputs["blessing"],
        push_destination=destination(tmp_path / "pushed"),
    )
    LocalDagRunner().run(
        Pipeline(
            pipeline_name="stock",
            pipeline_root=str(tmp_path / "root"),
            components=[examples, model, evaluator, pusher],
            metadata_connection_config=sqlite_metadata_connection_config(str(tmp_path / "ml.db")),
            beam_pipeline_args=[f"--runner={BEAM_RUNNERS['direct']}"],
        )
    )
    evaluation = tmp_path / "root" / "Evaluator" / "evaluation"
    result = tfma.load_eval_result(str(next(evaluation.iterdir())))
    (metrics,) = result.get_metrics_for_all_slices().values()
    value = metrics["sparse_categorical_accuracy"]["doubleValue"]
    assert value == pytest.approx(first.summary["metrics"]["accuracy"])
    (pushed,) = (tmp_path / "pushed").iterdir()
    assert (pushed / "saved_model.pb").is_file()


def test_tfx_pushes_what_our_gate_has_blessed(digits, first, tmp_path):
    pushed = standard_artifacts.PushedModel()
    pushed.uri = str(tmp_path / "archive")
    PusherExecutor().Do(
        {
            "model": [output(digits, "Trainer", "model")],
            "model_blessing": [output(digits, "ModelGate", "blessing")],
        },
        {"pushed_model": [pushed]},
        {"push_destination": proto_utils.proto_to_json(destination(tmp_path / "pushed"))},
    )
    assert pushed.get_int_custom_property("pushed") == 1
    (version,) = (tmp_path / "pushed").iterdir()
    assert (version / "saved_model.pb").is_file()


def test_a_removed_blessing_pushes_nothing(digits, first, tmp_path):
    from components.model_pusher.executor import Executor

    for blessings in ([], [standard_artifacts.ModelBlessing()]):
        pushed = standard_artifacts.PushedModel()
        Executor().Do(
            {"model": [output(digits, "Trainer", "model")], "blessing": blessings},
            {"pushed_model": [pushed]},
            {"destination": str(tmp_path / "serving")},
        )
        assert pushed.get_int_custom_property("pushed") == 0
        assert not (tmp_path / "serving").exists()
