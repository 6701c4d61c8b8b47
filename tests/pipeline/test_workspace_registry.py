"""The registry is asked only where a component depends on the champion."""

import sys
from types import SimpleNamespace

import pytest

from contracts.config.pipeline_config import PipelineConfig
from contracts.system.errors import ComponentError
from pipeline import workspace_registry
from pipeline.component_ids import TUNER
from pipeline.workspace import Workspace


def test_data_and_searches_need_no_registry(tmp_path, monkeypatch):
    def no_answer(*_):
        raise ComponentError("MLflow does not answer.")

    silent = SimpleNamespace(ModelRegistry=no_answer)
    monkeypatch.setitem(sys.modules, "registry.model_versions", silent)
    config = PipelineConfig(name="x", data={"root": tmp_path})
    workspace = Workspace(tmp_path)
    for to in ("ImageTransform", "Augmenter", TUNER):
        assert workspace_registry.find_champion(workspace, config, to) is None
    for to in (None, "ModelGate"):
        with pytest.raises(ComponentError):
            workspace_registry.find_champion(workspace, config, to)
