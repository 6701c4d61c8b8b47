"""Which component reads which examples: the evaluation reads no augmented ones."""

import json

import pytest

pytest.importorskip("tfx")

from tfx.types.channel_utils import get_individual_channels

from contracts.config.pipeline_config import PipelineConfig
from contracts.config.tracking import TrackingPlan, TrackingStore
from pipeline.graph import build_components, build_pipeline
from pipeline.run_context import RunContext


def run_context(tmp_path, config: PipelineConfig) -> RunContext:
    return RunContext(
        pipeline_root=str(tmp_path),
        metadata_db=str(tmp_path / "metadata.db"),
        serving=str(tmp_path / "serving"),
        tracking=TrackingPlan(
            tracking=config.tracking,
            store=TrackingStore(uri="sqlite:///x", name="toys"),
            tensorboard_folder="t",
            wandb_folder="w",
        ),
        checkpoints=str(tmp_path / "checkpoints"),
        data_listing="d",
        champion="",
        config_folder=str(tmp_path),
    )


def sources(tmp_path, component: str, key: str, **augmentation) -> set[str]:
    config = PipelineConfig.model_validate(
        {"name": "toys", "data": {"root": tmp_path}, "augmentation": augmentation}
    )
    context = run_context(tmp_path, config)
    (found,) = (one for one in build_components(config, context) if one.id == component)
    channels = get_individual_channels(found.inputs[key])
    names = [one.id for one in build_pipeline(config, context, to="Trainer").components]
    assert ("Augmenter" in names) == bool(augmentation.get("materialise"))
    return {channel.producer_component_id for channel in channels}


def test_nothing_waits_for_the_augmenter_but_training_on_its_copies(tmp_path):
    assert sources(tmp_path, "Trainer", "examples") == {"ImageTransform"}
    copies = {"materialise": {"min_examples": 5}}
    assert sources(tmp_path, "Trainer", "examples", **copies) == {"ImageTransform", "Augmenter"}


@pytest.mark.parametrize("enabled", [True, False])
def test_a_search_trains_on_what_a_run_trains_on(tmp_path, enabled):
    def tuner(**augmentation):
        config = PipelineConfig.model_validate(
            {
                "name": "toys",
                "data": {"root": tmp_path},
                "augmentation": augmentation,
                "search": {"space": {"trainer.batch_size": [8, 16]}},
                "tracking": {"mlflow": {"enabled": enabled}},
            }
        )
        components = build_pipeline(config, run_context(tmp_path, config), to="Tuner").components
        return next(one for one in components if one.id == "Tuner")

    def read(component) -> set[str]:
        channels = get_individual_channels(component.inputs["examples"])
        return {channel.producer_component_id for channel in channels}

    assert read(tuner()) == {"ImageTransform"}
    assert read(tuner(materialise={"min_examples": 5})) == {"ImageTransform", "Augmenter"}
    custom_config = json.loads(tuner().exec_properties["custom_config"])
    assert bool(custom_config["tracking"]) is enabled  # MLflow
    assert custom_config["config_folder"] == str(tmp_path)


def test_the_evaluation_reads_the_images_as_they_were_ingested(tmp_path):
    copies = {"preset": "strong", "materialise": {"min_examples": 5}}
    assert sources(tmp_path, "ModelEvaluator", "examples", **copies) == {"ImageExampleGen"}
