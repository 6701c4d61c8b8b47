"""Editors are told the same as the loader knows."""

import json
import sys

import pytest

from contracts.config.loading.config_schema import config_schema
from contracts.config.loading.field_problems import field_problems
from contracts.config.loading.loader import load_config
from contracts.config.pipeline_config import PipelineConfig
from contracts.system.errors import ConfigError


def test_the_schema_speaks_of_every_key_and_of_the_models():
    schema = config_schema()
    assert schema["title"]
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert set(schema["properties"]) == set(PipelineConfig.model_fields)
    assert json.loads(json.dumps(schema)) == schema


def test_a_check_may_leave_out_its_threshold(monkeypatch):
    monkeypatch.setitem(sys.modules, "rfc3987_syntax", None)  # as below
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(config_schema())
    config = {"name": "toys", "data": {"root": "photos"}}
    for severity, accepted in (("fail", True), ("off", True), (False, False), ("of", False)):
        checked = config | {"validation": {"dark": {"severity": severity}}}
        assert validator.is_valid(checked) is accepted
        assert (not field_problems(PipelineConfig, checked)) is accepted
    partly = PipelineConfig.model_validate(config | {"validation": {"dark": {"severity": "fail"}}})
    assert partly.validation.dark.threshold == PipelineConfig(**config).validation.dark.threshold


def test_the_schema_accepts_and_refuses_what_the_loader_does(monkeypatch):
    # A grammar of web addresses, which jsonschema takes along and which takes 1.4 s to build.
    monkeypatch.setitem(sys.modules, "rfc3987_syntax", None)
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(config_schema())

    def accepts(**trainer: object) -> bool:
        config = {"name": "toys", "data": {"root": "photos"}, "trainer": trainer}
        return bool(validator.is_valid(config))

    assert accepts(model_options={"filters": [8]}, learning_rate=1)
    assert accepts(model="convnext_atto", model_options={"depths": [1], "widths": None})
    assert accepts(model="my.models:build", model_options={"anything": 1})
    assert accepts(model="nets/my net.py:build", model_options={"anything": 1})
    assert accepts(model="ResNet50", model_options={"head_dropout": 0.1}, weights="imagenet")
    assert accepts(model_options={"kernel_size": [3, 5], "padding": "valid"})
    assert not accepts(model_options={"kernel_size": [3, 99]})
    assert not accepts(model_options={"padding": "none"})
    assert not accepts(model="ResNet50", model_options={"filters": [8]})
    assert not accepts(model="nets/net.py")
    assert not accepts(model_options={"depths": [1]})
    assert not accepts(model="convnext_atto", model_options={"filters": [8]})
    assert not accepts(model="cn")
    assert not accepts(epochs=0)
    assert not accepts(epoch=1)


SPACES = [
    ({"trainer.learning_rate": {"low": 1e-4, "high": 1e-2, "scale": "log"}}, True),
    ({"trainer.fine_tuning.frozen_epochs": {"low": 0, "high": 2}}, True),
    ({"trainer.model": ["cnn", "nets/net.py:build"]}, True),
    ({"trainer.model_options.filters": [[8], [8, 16], None]}, True),
    ({"trainer.class_weights.cat": [1.0, 2.0]}, True),
    ({"augmentation.operations.zoom.range": [[0.9, 1.1], None]}, True),
    ({"augmentation.preset": ["none", "light"]}, True),
    ({"augmentation.preset": ["none", "lihgt"]}, False),
    ({"augmentation.preset": {"low": 0, "high": 1}}, False),
    ({"augmentation.probe": ["warn", "off"]}, False),
    ({"trainer.class_weights.cat": [1.0, -2.0]}, False),
    ({"trainer.learning_rate": {"low": -1, "high": 1}}, False),
    ({"trainer.learning_rate": {"low": 1, "high": 2, "sale": "log"}}, False),
    ({"trainer.learning_rate": {"low": 1}}, False),
    ({"trainer.learning_rate": [1e-3]}, False),
    ({"trainer.batch_size": [8, 8]}, False),
    ({"trainer.batch_size": 8}, False),
    ({"trainer.lerning_rate": [1e-3, 1e-2]}, False),
    ({"learning_rate": [1e-3, 1e-2]}, False),
    ({"evaluation.min_accuracy": [0.1, 0.2]}, False),
]


@pytest.mark.parametrize(("space", "accepted"), SPACES, ids=lambda value: str(value))
def test_a_search_space_is_what_the_loader_takes(monkeypatch, tmp_path, space, accepted):
    monkeypatch.setitem(sys.modules, "rfc3987_syntax", None)  # as above
    jsonschema = pytest.importorskip("jsonschema")
    config = {"name": "toys", "data": {"root": str(tmp_path)}, "search": {"space": space}}
    assert jsonschema.Draft202012Validator(config_schema()).is_valid(config) is accepted
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "net.py").write_text("def build(): ...")
    (tmp_path / "pipeline.yaml").write_text(json.dumps(config))
    if accepted:
        load_config(tmp_path / "pipeline.yaml", environ={})
    else:
        with pytest.raises(ConfigError, match=r"search\.space"):
            load_config(tmp_path / "pipeline.yaml", environ={})
