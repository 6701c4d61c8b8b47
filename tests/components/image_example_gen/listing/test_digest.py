import os
import shutil
import time
from pathlib import Path

from components.image_example_gen.listing.digest import listing_digest
from components.image_example_gen.listing.file_index import FileIndex
from components.image_example_gen.listing.layout import Layout
from components.image_example_gen.listing.layout_reading import read_layout
from contracts.config.data import DataConfig


def of(root: Path, **options: str) -> str:
    return digest_of(read_layout(DataConfig(root=root, **options)))


def digest_of(layout: Layout) -> str:
    index = FileIndex(layout)
    index.read_unknown()
    return listing_digest(layout)


def age(root: Path) -> None:
    """Make files old enough for the index."""
    for path in root.rglob("*.jpg"):
        os.utime(path, (1e9, 1e9))


def test_names_labels_groups_and_content_count_and_nothing_else(
    image_folder: Path, tmp_path: Path
) -> None:
    seen = {of(image_folder)}
    copy = shutil.copytree(image_folder, tmp_path / "elsewhere" / "copy")
    age(copy)
    assert of(copy) in seen

    def is_new() -> bool:
        before = len(seen)
        seen.add(of(copy))
        return len(seen) > before

    (copy / "cat" / "000.jpg").rename(copy / "cat" / "renamed.jpg")
    assert is_new()
    (copy / "cat" / "renamed.jpg").rename(copy / "dog" / "renamed.jpg")
    assert is_new()
    content = (copy / "cat" / "002.jpg").read_bytes()
    (copy / "cat" / "002.jpg").write_bytes(content[:-1] + b"x")
    assert is_new()
    (copy / "cat" / "002.jpg").unlink()
    assert is_new()
    assert of(copy, group_by=r"\d") not in seen


def test_odd_and_unreadable_files_are_no_trouble(image_folder: Path) -> None:
    before = of(image_folder)
    (image_folder / "cat" / os.fsdecode(b"\xff\n.jpg")).write_bytes(b"x")
    with_odd = of(image_folder)
    assert with_odd != before
    layout = read_layout(DataConfig(root=image_folder))
    (image_folder / "cat" / "000.jpg").unlink()
    assert digest_of(layout) not in (with_odd, before)


def test_ten_thousand_files_take_a_moment(tmp_path: Path) -> None:
    for index in range(10_000):
        path = tmp_path / "images" / f"{index % 10}" / f"{index}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"%d" % index)
    began = time.perf_counter()
    of(tmp_path / "images")
    assert time.perf_counter() - began < 10
