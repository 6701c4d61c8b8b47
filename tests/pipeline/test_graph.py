"""Who reads whose examples: the evaluation reads none that augmentation has touched."""

import pytest

pytest.importorskip("tfx")

from tfx.types.channel_utils import get_individual_channels

from contracts.config import PipelineConfig
from contracts.tracking import TrackingPlan, TrackingStore
from pipeline.graph import Surroundings, build_components, build_pipeline


def sources(tmp_path, component: str, key: str, **augmentation) -> set[str]:
    around = Surroundings(
        pipeline_root=str(tmp_path),
        metadata_db=str(tmp_path / "metadata.db"),
        serving=str(tmp_path / "serving"),
        tracking=TrackingPlan(
            store=TrackingStore(uri="sqlite:///x", name="toys"),
            tensorboard_folder="t",
            wandb_folder="w",
        ),
        checkpoints=str(tmp_path / "checkpoints"),
        data_listing="d",
        champion="",
    )
    config = PipelineConfig.model_validate(
        {"name": "toys", "data": {"root": tmp_path}, "augmentation": augmentation}
    )
    (found,) = (one for one in build_components(config, around) if one.id == component)
    channels = get_individual_channels(found.inputs[key])
    names = [one.id for one in build_pipeline(config, around, to="Trainer").components]
    assert ("Augmenter" in names) == bool(augmentation.get("materialise"))
    return {channel.producer_component_id for channel in channels}


def test_nothing_waits_for_the_augmenter_but_training_on_its_copies(tmp_path):
    assert sources(tmp_path, "Trainer", "examples") == {"ImageTransform"}
    copies = {"materialise": {"min_examples": 5}}
    assert sources(tmp_path, "Trainer", "examples", **copies) == {"ImageTransform", "Augmenter"}


def test_the_evaluation_reads_the_images_as_they_were_ingested(tmp_path):
    copies = {"preset": "strong", "materialise": {"min_examples": 5}}
    assert sources(tmp_path, "ModelEvaluator", "examples", **copies) == {"ImageExampleGen"}
