"""Faults that were planted among real photos are found; photos without faults are not."""

import random
import shutil
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFilter

from tests.e2e.conftest import Project

COPIES, NEAR, RELABELLED, BLACK = 20, 20, 10, 5
CUT_CLASS, CUT_TO = "skirt", 3


def project_of(root: Path, folder: Path) -> Project:
    folder.mkdir()
    (folder / "pipeline.yaml").write_text(f"name: clothes\ndata: {{root: '{root}'}}\n")
    return Project(folder)


def issues_of(project: Project) -> dict[str, dict]:
    run = project.command("run", "--to", "ImageValidator", "--json")
    assert run.code == 0, run.err
    found = project.command("data report", "--json").summary["issues"]
    assert run.summary["data"]["issues"] == {issue["name"]: issue["count"] for issue in found}
    return {issue["name"]: issue for issue in found}


class Planted:
    """A copy of the photos with faults in it; what was planted, as paths relative to it."""

    def __init__(self, source: Path, root: Path) -> None:
        for split in ("train", "validation"):
            shutil.copytree(source / split, root / split)
        self.root = root
        self._random = random.Random(0)
        photos = sorted((root / "train").rglob("*.jpg"))
        self._photos = [path for path in photos if path.parent.name != CUT_CLASS]
        self._random.shuffle(self._photos)
        self.copies = [self._copy("validation") for _ in range(COPIES)]
        self.near = [self._near(number) for number in range(NEAR)]
        self.relabelled = [self._copy("train", relabel=True) for _ in range(RELABELLED)]
        self.black = [
            self._drawn(Image.new("RGB", (400, 533 + n)), f"black{n}.jpg") for n in range(BLACK)
        ]
        self.blurred = [self._blurred(radius) for radius in (5, 6, 8, 10, 14)]
        self.placeholders = [
            self._placeholder(text, level)
            for text, level in (("image not found", 255), ("404", 225), ("no picture", 190))
        ]
        for path in sorted((root / "train" / CUT_CLASS).iterdir())[CUT_TO:]:
            path.unlink()

    def _copy(self, split: str, relabel: bool = False) -> set[str]:
        photo = self._photos.pop()
        labels = {path.name for path in (self.root / "train").iterdir()}
        others = sorted(labels - {photo.parent.name, CUT_CLASS})
        label = self._random.choice(others) if relabel else photo.parent.name
        copy = self.root / split / label / f"copy of {photo.name}"
        shutil.copy(photo, copy)
        return {self._name(photo), self._name(copy)}

    def _near(self, number: int) -> set[str]:
        photo = self._photos.pop()
        image = Image.open(photo).convert("RGB")
        width, height = image.size
        changed, ending, options = [
            (image.resize((width // 2, height // 2)), "jpg", {"quality": 80}),
            (image, "jpg", {"quality": 30}),
            (image.resize((width * 3 // 2, height * 3 // 2)), "png", {}),
            (image.resize((width // 3, height // 3)), "webp", {"quality": 60}),
        ][number % 4]
        split = ("train", "validation")[number % 2]
        near = self.root / split / photo.parent.name / f"near {number}.{ending}"
        changed.save(near, **options)
        return {self._name(photo), self._name(near)}

    def _blurred(self, radius: int) -> str:
        photo = self._photos.pop()
        image = Image.open(photo).convert("RGB").filter(ImageFilter.GaussianBlur(radius))
        image.save(photo, quality=90)
        return self._name(photo)

    def _placeholder(self, text: str, level: int) -> str:
        image = Image.new("RGB", (400, 400), (level, level, level))
        ImageDraw.Draw(image).text((150, 190), text, fill=(80, 80, 80))
        return self._drawn(image, f"{text}.jpg")

    def _drawn(self, image: Image.Image, name: str) -> str:
        path = self.root / "train" / "dress" / name
        image.save(path)
        return self._name(path)

    def _name(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()


@pytest.fixture(scope="module")
def photos(real_data: Path) -> Path:
    folder = real_data / "clothing-dev"
    if not folder.is_dir():
        pytest.skip(f"no real photos in {folder}")
    return folder


def test_planted_faults_are_found(photos, tmp_path):
    planted = Planted(photos, tmp_path / "photos")
    project = project_of(planted.root, tmp_path / "project")
    found = issues_of(project)

    def groups(name: str) -> list[set[str]]:
        return [set(group) for group in found[name]["groups"]]

    def singles(name: str) -> set[str]:
        return {path for group in groups(name) for path in group}

    for pair in planted.copies:
        assert pair in groups("exact_duplicate")
        assert pair in groups("cross_split_leak")
    for pair in planted.relabelled:
        assert pair in groups("exact_duplicate")
        assert pair in groups("label_conflict")
    assert sum(pair in groups("near_duplicate") for pair in planted.near) >= 18
    assert singles("dark") == set(planted.black)
    assert singles("blurry") == set(planted.blurred)
    assert singles("placeholder") == set(planted.placeholders)
    assert [detail.split(":")[0] for detail in found["class_too_small"]["details"]] == [CUT_CLASS]
    wanted = [*planted.copies, *planted.relabelled, *planted.near, set(planted.black)]
    alike = [*groups("exact_duplicate"), *groups("near_duplicate")]
    assert [group for group in alike if group not in wanted] == []
    refused(project)


def refused(project: Project) -> None:
    """Have a check fail that has found something: nothing is trained, and the evidence is kept."""
    run = project.run("--set", "validation.label_conflict.severity=fail")
    assert run.code == 1
    summary = run.summary
    assert summary["status"] == "failed"
    assert summary["error"].startswith("validation.label_conflict: expected none, found 10, e.g. ")
    assert summary["components"]["ImageValidator"]["state"] == "failed"
    assert "Trainer" not in summary["components"]
    assert not (project.workspace / "pipeline" / "Trainer").exists()
    assert summary["data"]["blessed"] is False
    assert "Not to be trained on." in Path(summary["data"]["page"]).read_text()
    words = [properties["blessed"].int_value for properties in records(project, "DataBlessing")]
    assert words == [1, 0]
    told = project.command("data report")
    assert "fail  label_conflict: 10" in told.out
    again = project.run("--set", "validation.label_conflict.severity=fail")
    assert again.code == 1  # a refusal is no result to be reused


def records(project: Project, type_name: str) -> list:
    """Return the properties of the artifacts of a type that ML Metadata knows of."""
    from ml_metadata.metadata_store import MetadataStore
    from tfx.orchestration.metadata import sqlite_metadata_connection_config

    database = str(project.workspace / "metadata.db")
    store = MetadataStore(sqlite_metadata_connection_config(database))
    return [artifact.custom_properties for artifact in store.get_artifacts_by_type(type_name)]


def test_good_photos_raise_hardly_any_alarm(photos, tmp_path):
    found = issues_of(project_of(photos, tmp_path / "project"))
    assert sum(issue["count"] for issue in found.values()) <= 5, found
