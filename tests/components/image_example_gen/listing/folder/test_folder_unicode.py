"""Names that look the same are the same, whatever Unicode form folders and files have."""

from pathlib import Path

from components.image_example_gen.listing.layout_reading import read_layout
from contracts.config.data import DataConfig
from tests.components.image_example_gen.listing.conftest import make, numbered, rows


def test_class_folders_in_two_forms_of_unicode_are_one_class(tmp_path: Path) -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    data = make(tmp_path, f"{composed}/1.jpg", f"{decomposed}/2.jpg", *numbered("th\u00e9"))
    layout = read_layout(data)
    assert layout.labels == [composed, "th\u00e9"]
    assert "2 top folders are classes" in layout.description
    assert all((tmp_path / file.path).is_file() for file in layout.files)
    left_out = DataConfig(root=tmp_path, leave_out=(decomposed,))
    assert read_layout(left_out).labels == ["th\u00e9"]


def test_groups_are_found_in_either_form_of_unicode(tmp_path: Path) -> None:
    make(tmp_path, "a/e\u0301_1.jpg", "a/\u00e9_2.jpg")
    for group_by in ("(\u00e9)_", "(e\u0301)_"):
        layout = read_layout(DataConfig(root=tmp_path, group_by=group_by))
        assert {group for *_, group in rows(layout)} == {"\u00e9"}
