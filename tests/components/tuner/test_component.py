"""The cached search is of the very code, files and libraries that its trials follow from."""

import json
from pathlib import Path

import pytest

pytest.importorskip("tfx")

from tfx.types import Channel, standard_artifacts

from components.tuner.component import Tuner
from contracts.config.pipeline_config import PipelineConfig
from contracts.config.tracking import TrackingStore


@pytest.fixture
def custom_config_of():
    """Return a function from a search space and sections to what TFX's cache key holds of them."""

    def custom_config_of(space: dict, **config: object) -> dict[str, str]:
        given = {"name": "x", "data": {"root": Path("/")}, "search": {"space": space}, **config}
        tuner = Tuner(
            Channel(type=standard_artifacts.Examples),
            PipelineConfig.model_validate(given),
            TrackingStore(uri="sqlite:///x", name="x"),
        )
        return json.loads(tuner.exec_properties["custom_config"])

    return custom_config_of


@pytest.mark.parametrize("key", ["trainer.loss", "trainer.weights", "trainer.metrics"])
def test_what_only_the_space_names_counts_by_its_content(custom_config_of, tmp_path, key):
    file = tmp_path / ("first.keras" if key == "trainer.weights" else "mine.py")
    value = str(file) if key == "trainer.weights" else f"{file}:Mine"
    choices = {"trainer.metrics": [[], [value]], "trainer.weights": [None, value]}
    space = {key: choices.get(key, ["focal", value])}
    digests = []
    for content in ("class Mine: a = 1", "class Mine: a = 2"):
        file.write_text(content)
        digests.append(custom_config_of(space)["training_digest"])
    assert len({*digests, custom_config_of({})["training_digest"]}) == 3
    own = {"trainer": {"epochs": 3}}
    assert custom_config_of(space, **own)["training_digest"] == digests[1]


def test_the_versions_of_augmentation_libraries_count_where_a_trial_uses_them(custom_config_of):
    without = custom_config_of({})["training_digest"]
    assert (
        custom_config_of({"augmentation.backend": ["keras", "albumentations"]})["training_digest"]
        != without
    )
    assert (
        custom_config_of({}, augmentation={"backend": "albumentations"})["training_digest"]
        != without
    )
    assert custom_config_of({"trainer.batch_size": [8, 16]})["training_digest"] == without
