"""`imgpipe sweep` trains each variant on what a run with its config trains on."""

import argparse
from pathlib import Path

import pytest

pytest.importorskip("tfx")

from contracts.config import PipelineConfig
from pipeline.commands import sweep as command
from pipeline.preflight import Preflight
from pipeline.summary import AugmentationSummary, DataSummary, SecondsSummary, Summary

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


@pytest.mark.parametrize(
    ("copies", "vary", "up_to", "uris"),
    [
        (0, [], "ImageTransform", [["transformed"], ["transformed"]]),
        (9, [], "Augmenter", [["transformed"], ["transformed", "copies"]]),
        (9, ["trainer.batch_size=8,16"], "Augmenter", [["transformed", "copies"]] * 2),
    ],
)
def test_who_has_copies_of_small_classes_trains_on_them(
    monkeypatch, tmp_path, copies, vary, up_to, uris
):
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

    def run_sweep(sweep, workspace):
        raise Swept(sweep)

    monkeypatch.setattr(command, "preflight", lambda *_, **__: Preflight(config, None, Path()))
    monkeypatch.setattr(command, "require_apart", lambda *_: None)
    monkeypatch.setattr("pipeline.runner.run_pipeline", run_pipeline)
    monkeypatch.setattr("pipeline.sweep.flow.run_sweep", run_sweep)
    with pytest.raises(Swept) as raised:
        command.run(argparse.Namespace(**{**vars(ARGS), "vary": vary}))
    sweep = raised.value.args[0]
    assert [sweep.dataset_uris(variant) for variant in sweep.variants] == uris
