"""A run with nothing to do is recognised by all that its result depends on."""

from pathlib import Path

from contracts.config.pipeline_config import PipelineConfig
from pipeline.component_ids import TUNER
from pipeline.local.reuse import run_key


def test_code_that_only_the_search_space_names_counts_for_a_search(tmp_path):
    file = tmp_path / "mine.py"
    space = {"trainer.loss": ["focal", f"{file}:Loss"]}
    given = {"name": "x", "data": {"root": tmp_path}, "search": {"space": space}}
    config = PipelineConfig.model_validate(given)
    keys = []
    for text in ("class Loss: a = 1", "class Loss: a = 2"):
        file.write_text(text)
        keys.append([run_key(config, [], "listing", None, to) for to in (TUNER, None)])
    assert keys[0][0] != keys[1][0]
    assert keys[0][1] == keys[1][1]


def test_a_project_that_was_moved_has_the_same_key(tmp_path):
    def key(folder: Path, other: Path) -> str:
        schema, data = str(folder / "curated.pbtxt"), {"root": folder / "photos"}
        given = {"name": "x", "data": data | {"schema": schema}, "seed": len(str(other))}
        config = PipelineConfig.model_validate(given)
        return run_key(config, [folder / "workspace", folder], "listing", None, None)

    assert key(tmp_path / "one", tmp_path) == key(tmp_path / 'a "second" ö', tmp_path)
    assert key(tmp_path / "one", tmp_path) != key(tmp_path / "one", tmp_path / "x")
