"""Data is compared with the last accepted data of the same name, and with no other."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.e2e.conftest import Project, Result


@pytest.fixture
def project(tmp_path: Path, write_image: Callable[..., Path]) -> Project:
    """A project with two folders of images, the second one darker."""
    for number in range(600):
        path = write_image(tmp_path / "bright" / "ab"[number % 2] / f"{number}.png", seed=number)
        dark = tmp_path / "dark" / path.relative_to(tmp_path / "bright")
        dark.parent.mkdir(parents=True, exist_ok=True)
        Image.open(path).point(lambda level: level // 3).save(dark)
    (tmp_path / "pipeline.yaml").write_text("name: shades\ndata: {root: bright}\n")
    return Project(tmp_path)


def validated(project: Project, root: str, *options: str) -> Result:
    arguments = ("--json", "--to", "ImageValidator", "--set", f"data.root={root}", *options)
    return project.command("run", *arguments)


def test_drift_from_the_last_accepted_data(project):
    first = validated(project, "bright")
    assert first.code == 0, first.err
    assert "drift" not in first.summary["data"]["issues"]
    darker = validated(project, "dark", "--set", "validation.drift.severity=fail")
    assert darker.code == 1
    assert "image/brightness_mean differs from the last accepted data" in darker.summary["error"]
    # What was refused is not what later data is measured against.
    again = validated(project, "dark")
    assert again.code == 0, again.err
    assert again.summary["data"]["issues"]["drift"] > 0
    back = validated(project, "bright")
    assert back.summary["data"]["issues"]["drift"] > 0
    # Another model's data, in the same workspace, is compared with its own alone.
    other = validated(project, "dark", "--set", "name=others")
    assert "drift" not in other.summary["data"]["issues"]
