"""`imgpipe sweep` trains each variant on the data of a run with its config."""

import argparse
from pathlib import Path

import pytest

pytest.importorskip("tfx")

from contracts.config.pipeline_config import PipelineConfig
from pipeline.commands import sweep as command
from pipeline.preflight.preflight import Preflight
from pipeline.summary import AugmentationSummary, DataSummary, SecondsSummary, Summary
from pipeline.sweep.sweep_record import SweepRecord, SweepTraining

ARGS = argparse.Namespace(
    config=Path("pipeline.yaml"),
    workspace=Path("workspace"),
    overrides=[],
    vary=[],
    seeds=1,
    split="validation",
    metric="accuracy",
    search=False,
    write=None,
    json=False,
)


class Swept(Exception):
    """What would have been trained."""


@pytest.fixture
def command_with(monkeypatch, tmp_path):
    """Return `command_with(run_sweep, up_to, copies=0, vary=())`: its exit code, without a run."""

    def call(run_sweep, up_to: str = "ImageTransform", copies: int = 0, vary=()) -> int:
        augmentation = {"materialise": {"min_examples": copies}}
        config = PipelineConfig.model_validate(
            {"name": "x", "data": {"root": tmp_path}, "augmentation": augmentation}
        )

        def run_pipeline(checked, workspace, to):
            assert to == up_to
            return Summary(
                run_id="r",
                status="partial",
                data=DataSummary(transformed="transformed"),
                augmentation=AugmentationSummary(examples="copies"),
                seconds=SecondsSummary(total=1.0, start=1.0),
            )

        monkeypatch.setattr(command, "preflight", lambda *_, **__: Preflight(config, None, Path()))
        monkeypatch.setattr("pipeline.local.runner.run_pipeline", run_pipeline)
        monkeypatch.setattr("pipeline.sweep.runner.run_sweep", run_sweep)
        return command.run(argparse.Namespace(**{**vars(ARGS), "vary": vary}))

    return call


@pytest.mark.parametrize(
    ("copies", "vary", "up_to", "uris"),
    [
        (0, [], "ImageTransform", [["transformed"], ["transformed"]]),
        (9, [], "Augmenter", [["transformed"], ["transformed", "copies"]]),
        (9, ["trainer.batch_size=8,16"], "Augmenter", [["transformed", "copies"]] * 2),
    ],
)
def test_who_has_copies_of_small_classes_trains_on_them(command_with, copies, vary, up_to, uris):
    def run_sweep(sweep, workspace):
        raise Swept(sweep)

    with pytest.raises(Swept) as raised:
        command_with(run_sweep, up_to, copies, vary)
    sweep = raised.value.args[0]
    assert [sweep.dataset_uris(variant) for variant in sweep.variants] == uris


@pytest.mark.parametrize(("failed_seed", "code"), [(0, 1), (4, 0)])
def test_what_failed_earlier_counts_where_it_is_asked_for(command_with, failed_seed, code):
    def run_sweep(sweep, workspace):
        failed = SweepTraining(variant=sweep.variants[1].name, seed=failed_seed, status="failed")
        record = SweepRecord(
            sweep_id="s",
            split=sweep.split,
            images=1,
            metric=sweep.metric,
            seeds=list(sweep.seeds),
            trainings=[failed],
        )
        return record.with_results(sweep.variants), workspace

    assert command_with(run_sweep) == code
