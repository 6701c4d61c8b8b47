"""What became of the images between two manifests is told picture by picture."""

from pathlib import Path

from components.image_example_gen.listing.entries import SkippedFile
from components.image_example_gen.manifest_summary import write_skipped
from contracts.artifacts.manifest.difference import compare_manifests
from contracts.artifacts.manifest.file_row import INGESTED, QUARANTINED, FileRow
from contracts.artifacts.manifest.rows import part_writer


def manifest(folder: Path, *rows: FileRow) -> str:
    with part_writer(str(folder), "part-00000") as writer:
        for row in rows:
            writer.add(row)
    return str(folder)


def image(path: str, content: str, split: str = "train") -> FileRow:
    label = path.partition("/")[0]
    return FileRow(path, label, split, None, INGESTED, sha256=content)


def test_each_picture_is_told_once(tmp_path: Path) -> None:
    broken = FileRow("cat/broken", "cat", None, None, QUARANTINED, "corrupt", "why", "x")
    before = manifest(
        tmp_path / "before",
        image("cat/same", "1"),
        image("cat/gone", "2"),
        image("cat/is-dog", "3"),
        image("cat/old name", "4"),
        image("cat/edited", "5"),
        image("cat/moves", "6"),
        image("cat/twin a", "7"),
        image("cat/twin b", "7"),
        broken,
    )
    now = manifest(
        tmp_path / "now",
        image("cat/same", "1"),
        image("dog/is-dog", "3"),
        image("cat/new name", "4"),
        image("cat/edited", "50"),
        image("cat/moves", "6", "test"),
        image("dog/twin b", "7"),
        image("cat/twin a", "7"),
        image("dog/new", "8"),
        broken,
    )
    found = compare_manifests(before, now)
    assert [row.path for row in found.added] == ["dog/new"]
    assert [row.path for row in found.removed] == ["cat/gone"]
    moved = {
        name: [(move.before.path, move.now.path) for move in getattr(found, name)]
        for name in ("relabelled", "renamed", "changed", "resplit")
    }
    assert moved == {
        "relabelled": [("cat/is-dog", "dog/is-dog"), ("cat/twin b", "dog/twin b")],
        "renamed": [("cat/old name", "cat/new name")],
        "changed": [("cat/edited", "cat/edited")],
        "resplit": [("cat/moves", "cat/moves")],
    }


def test_a_label_that_a_table_changes_is_one_of_the_same_file(tmp_path: Path) -> None:
    before = manifest(tmp_path / "before", image("a", "1")._replace(label="cat"))
    now = manifest(tmp_path / "now", image("a", "1")._replace(label="dog"))
    found = compare_manifests(before, now)
    assert [(move.before.label, move.now.label) for move in found.relabelled] == [("cat", "dog")]
    assert not found.added and not found.removed


def test_what_is_no_image_of_a_class_is_left_out(tmp_path: Path) -> None:
    before = manifest(tmp_path / "before", image("cat/a", "1"))
    now = manifest(tmp_path / "now", image("cat/a", "1"))
    write_skipped(now, [SkippedFile(".hidden", "hidden", "hidden")])
    found = compare_manifests(before, now)
    assert not any(vars(found).values())
