"""The component publishes report and copies, whose splits are those of what they come from."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tfx")

from tfx.components.trainer.fn_args_utils import get_common_fn_args
from tfx.types import artifact_utils, standard_artifacts

from components.artifact_types import AugmentationReport
from components.augmenter.component import Augmenter
from components.augmenter.executor import Executor
from components.augmenter.probe_sample import ProbeSample
from contracts.artifacts.augmentation_report import read_augmentation
from contracts.artifacts.image_dataset import ImageDataset
from contracts.config.augmentation.config import AugmentationConfig

SPLITS = ["train", "validation", "test"]


def test_a_trainer_takes_both_and_evaluates_on_what_was_there(tmp_path, make_dataset):
    pixels = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 3), np.uint8)
    dataset = make_dataset(tmp_path / "in", ProbeSample(pixels, np.arange(12) // 8), ("a", "b"))
    config = AugmentationConfig.model_validate({"materialise": {"min_examples": 8}})
    examples, copies = standard_artifacts.Examples(), standard_artifacts.Examples()
    examples.uri, copies.uri = dataset.uri, str(tmp_path / "copies")
    examples.split_names = artifact_utils.encode_split_names(SPLITS)
    report = AugmentationReport()
    report.uri = str(tmp_path / "report")
    Path(report.uri).mkdir()
    Executor().Do(
        {"transformed_examples": [examples]},
        {"report": [report], "augmented_examples": [copies]},
        {"augmentation": config.model_dump_json(), "seed": 0},
    )
    assert read_augmentation(report.uri).copies == {"b": 4}
    args = '{"splits": ["%s"]}'
    properties = {"train_args": args % "train", "eval_args": args % "validation"}
    fn_args = get_common_fn_args({"examples": [copies, examples]}, properties)
    assert len(fn_args.train_files) == 2
    united = ImageDataset.unite(str(Path(files).parent.parent) for files in fn_args.train_files)
    assert united.examples == {"train": 16, "validation": 0, "test": 0}
    assert united.uri == dataset.uri


def test_its_cache_goes_by_its_code_and_its_section():
    from tfx.types import Channel

    channel = Channel(type=standard_artifacts.Examples)
    made = [
        Augmenter(channel, AugmentationConfig(preset=preset), 0).exec_properties
        for preset in ("light", "none")
    ]
    assert made[0]["code_digest"] == made[1]["code_digest"] != ""
    assert made[0]["augmentation"] != made[1]["augmentation"]
