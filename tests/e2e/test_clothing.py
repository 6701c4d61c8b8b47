"""Real photos in the data's own splits."""

import os
from pathlib import Path

import pytest

from tests.e2e.conftest import Project

DATA = Path(
    os.environ.get("IMGPIPE_REAL_DATA", Path(__file__).parents[3] / "shared" / "data"),
    "clothing-dev",
)


@pytest.mark.skipif(not DATA.is_dir(), reason=f"no real photos in {DATA}")
def test_clothes_are_told_apart_better_than_by_their_commonest(tmp_path):
    (tmp_path / "pipeline.yaml").write_text(
        f"name: clothes\ndata: {{root: {DATA}}}\nevaluation: {{min_accuracy: 0.4}}\n"
    )
    project = Project(tmp_path)
    result = project.command("run", "--json", "--set", "trainer.epochs=15")
    assert result.code == 0, result.out + result.err
    summary = result.summary
    data = summary["data"]
    # README and LICENSE stand beside the class folders.
    assert (data["found"], data["ingested"], data["quarantined"]) == (1034, 1032, 2)
    assert data["splits"]["validation"] == 107
    assert data["splits"]["train"] + data["splits"]["test"] == 925
    metrics = summary["metrics"]
    assert metrics["accuracy"] > metrics["largest_class_share"] + 0.15
    assert summary["pushed_version"] == 1
