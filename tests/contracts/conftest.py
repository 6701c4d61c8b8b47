"""A folder with photos/ and a pipeline.yaml that tests write."""

from pathlib import Path

import pytest

from contracts.config.loading.loader import load_config
from contracts.config.pipeline_config import PipelineConfig
from contracts.system.errors import ConfigError

GOOD = "name: toys\ndata:\n  root: photos\n"


def load(path: Path, *overrides: str, **variables: str) -> PipelineConfig:
    return load_config(path, overrides, variables)


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Return `write(text)`: puts pipeline.yaml into the working directory, with photos/."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()

    def written(text: str | bytes) -> Path:
        path = Path("pipeline.yaml")
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return written


@pytest.fixture
def problems(write):
    """Return `problems(text, *overrides, **variables)`: what the loader finds wrong."""

    def found(text: str | bytes, *overrides: str, **variables: str) -> list[str]:
        with pytest.raises(ConfigError) as raised:
            load_config(write(text), overrides, variables)
        return list(raised.value.problems)

    return found
