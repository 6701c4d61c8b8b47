"""A table finds its files, whatever Unicode form either of them is in."""

import unicodedata
from pathlib import Path

from components.image_example_gen.listing.layout_reading import read_layout
from tests.components.image_example_gen.listing.conftest import make, reasons, rows, write_table


def forms(*names: str) -> list[str]:
    return [unicodedata.normalize(form, name) for form in ("NFC", "NFD") for name in names]


def test_files_are_found_in_either_form_of_unicode(tmp_path: Path) -> None:
    folder, folder_d = forms("caf\u00e9")
    name, name_d = forms("\u00fc.jpg")
    other, other_d = forms("\u00f6.jpg")
    make(tmp_path, f"{folder_d}/{name_d}", f"{folder_d}/{other}", name, "a.jpg")
    table = f"path,label\n{folder}/{name},{folder}\n{folder}/{other_d},{folder_d}\n{name_d},b\n"
    layout = read_layout(write_table(tmp_path, table))
    assert {(path, label) for path, label, *_ in rows(layout)} == {
        (f"{folder_d}/{name_d}", folder),
        (f"{folder_d}/{other}", folder),
        (name, "b"),
    }
    assert all((tmp_path / file.path).is_file() for file in layout.files)
    assert reasons(layout) == {"a.jpg": "no_row"}


def test_two_rows_that_name_a_file_in_two_forms_name_one_file(tmp_path: Path) -> None:
    name, name_d = forms("\u00e9.jpg")
    make(tmp_path, name_d)
    layout = read_layout(write_table(tmp_path, f"path,label\n{name},a\n{name_d},a\n"))
    assert rows(layout) == [(name_d, "a", None, None)]
    layout = read_layout(write_table(tmp_path, f"path,label\n{name},a\n{name_d},b\n"))
    assert reasons(layout) == {name_d: "conflicting_rows"}


def test_files_in_two_forms_side_by_side_stay_two(tmp_path: Path) -> None:
    name, name_d = forms("\u00e9.jpg")
    make(tmp_path, name, name_d)
    layout = read_layout(write_table(tmp_path, f"path,label\n{name},a\n{name_d},b\n"))
    assert {(path, label) for path, label, *_ in rows(layout)} == {(name, "a"), (name_d, "b")}


def test_a_name_that_two_files_look_like_is_none(tmp_path: Path) -> None:
    make(tmp_path, "1.jpg ", "1.jpg\u00a0")
    layout = read_layout(write_table(tmp_path, "path,label\n1.jpg,a\n"))
    assert reasons(layout)["1.jpg"] == "no_such_file"
    assert layout.found == 1


def test_groups_stand_in_one_form_of_unicode(tmp_path: Path) -> None:
    group, group_d = forms("\u00e9")
    make(tmp_path, "1.jpg", "2.jpg")
    table = f"path,label,group\n1.jpg,a,{group}\n2.jpg,a,{group_d}\n"
    assert {group for *_, group in rows(read_layout(write_table(tmp_path, table)))} == {group}
