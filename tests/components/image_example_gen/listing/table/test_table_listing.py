from pathlib import Path

import pytest

from components.image_example_gen.listing.layout_reading import read_layout
from tests.components.image_example_gen.listing.conftest import (
    make,
    reasons,
    refusal,
    rows,
    write_table,
)


def test_a_table_brings_labels_splits_and_groups(tmp_path: Path) -> None:
    make(tmp_path, "a/1.jpg", "2,b.jpg", "ü.jpg")
    outside = make(tmp_path.parent / f"{tmp_path.name}-outside", "3.jpg").root / "3.jpg"
    data = write_table(
        tmp_path,
        "\ufeffLabel, path,split,group,weight\r\n"
        "cat,a/1.jpg,Train,g1,1\r\n"
        'dog ,"2,b.jpg",valid,,1\r\n'
        "\r\n"
        "dog,./ü.jpg,,g2,1\r\n"
        f"dog,{outside},test,g2,1\r\n"
        "dog,missing.jpg,test,g2,1\r\n",
    )
    layout = read_layout(data)
    assert sorted(rows(layout)) == [
        (f"../{outside.parent.name}/3.jpg", "dog", "test", "g2"),
        ("2,b.jpg", "dog", "validation", None),
        ("a/1.jpg", "cat", "train", "g1"),
        ("ü.jpg", "dog", None, "g2"),
    ]
    assert (layout.kind, layout.root) == ("csv", tmp_path)
    assert reasons(layout) == {"missing.jpg": "no_such_file"}
    assert "line 7" in next(iter(layout.skipped)).detail
    assert "2 classes, the splits train, validation, test" in layout.description


def test_all_faults_of_a_table_come_at_once_with_their_lines(tmp_path: Path) -> None:
    make(tmp_path, "1.jpg", "2.jpg")
    data = write_table(
        tmp_path, "path,label,split\n1.jpg,cat,train\n2.jpg,dog,trian\n,dog,test\n2.jpg\n"
    )
    problems = refusal(lambda: read_layout(data))
    assert len(problems) == 3
    for words in ("line 3 (trian)", "line 4", "line 5"):
        assert any(words in problem for problem in problems)


def test_every_file_of_a_table_has_one_row_or_a_reason(tmp_path: Path) -> None:
    make(tmp_path, "a/1.jpg", "a/2.jpg", "a/3.jpg", "a/4.jpg", "a/no row.jpg", "b/unused.jpg")
    data = write_table(
        tmp_path,
        "path,label\na/1.jpg,cat\n./a/1.jpg,cat\na/2.jpg,cat\na/2.jpg,dog\na/2.jpg,cat\n"
        "a/3.jpg,\na/4.jpg,dog\ngone.jpg,dog\n",
    )
    layout = read_layout(data)
    assert [file.path for file in layout.files] == ["a/1.jpg", "a/4.jpg"]
    assert reasons(layout) == {
        "a/2.jpg": "conflicting_rows",
        "a/3.jpg": "no_label",
        "a/no row.jpg": "no_row",
        "gone.jpg": "no_such_file",
    }
    assert next(iter(layout.skipped)).detail == "lines 4 and 5 say different things of it"
    assert layout.description.endswith("Rows that only repeat others: 1.")


def test_groups_come_from_a_column(tmp_path: Path) -> None:
    make(tmp_path, "1.jpg", "2.jpg")
    data = write_table(tmp_path, "path,label,patient\n1.jpg,a,p1\n2.jpg,b,p2\n")
    layout = read_layout(data.model_copy(update={"group_by": "Patient"}))
    assert [file.group for file in layout.files] == ["p1", "p2"]
    assert "its column patient" in layout.description
    assert [file.group for file in read_layout(data).files] == [None, None]


def test_a_column_without_groups_is_no_expression_on_the_path(tmp_path: Path) -> None:
    make(tmp_path, "1.jpg", "2.jpg")
    data = write_table(tmp_path, "path,label,patient\n1.jpg,a,\n2.jpg,b,\n")
    layout = read_layout(data.model_copy(update={"group_by": "patient"}))
    assert [file.group for file in layout.files] == [None, None]


def test_only_line_ends_end_a_row(tmp_path: Path) -> None:
    name = "1\u2028\x0b2.jpg"
    make(tmp_path, name)
    layout = read_layout(write_table(tmp_path, f"path,label\n{name},a\n"))
    assert [file.path for file in layout.files] == [name]


EXPECTED = "expected the columns path,label[,split,group]"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", f"{EXPECTED}, received an empty file. Add them and a row for each image."),
        (
            "path;label\n1.jpg;cat\n",
            f"{EXPECTED}, separated by commas, received 'path;label'. "
            "Replace the semicolons by commas.",
        ),
        (
            "path\tlabel\n1.jpg\tcat\n",
            f"{EXPECTED}, separated by commas, received 'path\\tlabel'. "
            "Replace the tabs by commas.",
        ),
        (
            "A1.JPG,Cat\na2.jpg,dog\n",
            f"{EXPECTED} in the first line, received a row of data: A1.JPG, Cat. "
            "Put a line with the names of the columns before it.",
        ),
        (
            "file,class\n1.jpg,cat\n",
            "expected the columns path and label, received file, class. "
            "Name the columns path,label[,split,group] in the first line.",
        ),
        (
            "path,class\n",
            "expected the column label, received path, class. "
            "Name the columns path,label[,split,group] in the first line.",
        ),
        (
            "path,label,label\n",
            "expected each column once, received twice: label. Rename one of them.",
        ),
    ],
)
def test_one_cause_in_the_header_is_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    data = write_table(tmp_path, text)
    assert refusal(lambda: read_layout(data)) == (f"{data.root}: {said}",)


def test_a_quotation_that_does_not_end_is_refused_with_its_line(tmp_path: Path) -> None:
    data = write_table(tmp_path, 'path,label\n"1.jpg,cat\n')
    (problem,) = refusal(lambda: read_layout(data))
    assert ":2: no readable CSV" in problem


def test_rows_with_another_separator_are_one_sentence(tmp_path: Path) -> None:
    data = write_table(tmp_path, "path,label\n" + "1.jpg;cat\n" * 50)
    (problem,) = refusal(lambda: read_layout(data))
    assert "line 2, line 3, line 4, line 5, line 6 and 45 more. Separate cells by" in problem


def test_what_is_no_utf8_is_refused_with_its_lines(tmp_path: Path) -> None:
    make(tmp_path, "1.jpg")
    data = write_table(tmp_path, b"path,label\n1.jpg,cafe\n1.jpg,caf\xe9\n" + b"\xfc.jpg,x\n" * 6)
    (problem,) = refusal(lambda: read_layout(data))
    assert problem.startswith(f"{data.root}: expected UTF-8, received other bytes in ")
    assert "in line 3 (0xe9, byte 10 of the line), line 4 (0xfc, byte 1 of" in problem
    assert problem.endswith("and 2 more. Save it as UTF-8.")


def test_a_table_in_utf16_is_refused_as_such(tmp_path: Path) -> None:
    (problem,) = refusal(
        lambda: read_layout(write_table(tmp_path, "path,label\n".encode("utf-16")))
    )
    assert "expected UTF-8, received other bytes in line 1 (0xff, byte 1" in problem


def test_blanks_around_values_are_no_part_of_them(tmp_path: Path) -> None:
    make(tmp_path, "a/1.jpg", "2.jpg")
    data = write_table(
        tmp_path,
        "\ufeff\ufeff path ,\u00a0Label\u00a0,Split\t, group\n"
        "a/1.jpg\u00a0, cat\u00a0 ,Train \u2003,\u200bg \n"
        "\u00a02.jpg ,\u3000dog\ufeff,\u00a0dev,\u00a0\n"
        " ,\u00a0, ,\n",
    )
    assert rows(read_layout(data)) == [
        ("2.jpg", "dog", "validation", None),
        ("a/1.jpg", "cat", "train", "g"),
    ]


def test_names_that_really_begin_or_end_with_a_blank_are_found(tmp_path: Path) -> None:
    names = [" quoted.jpg", " bare.jpg", "end.jpg\u00a0", "twin.jpg", "twin.jpg "]
    make(tmp_path, *names)
    lines = ['" quoted.jpg",a', " bare.jpg,a", "end.jpg\u00a0,a", "twin.jpg,a", "twin.jpg ,b"]
    layout = read_layout(write_table(tmp_path, "\n".join(["path,label", *lines])))
    assert {(path, label) for path, label, *_ in rows(layout)} == {
        (name, "b" if name == "twin.jpg " else "a") for name in names
    }
    assert reasons(layout) == {}


def test_splits_of_a_table_are_named_as_folders_are(tmp_path: Path) -> None:
    names = ("Training", "train_set", "VAL", "dev", "evaluation", "testing", "test-images")
    make(tmp_path, *(f"{name}.jpg" for name in names))
    lines = [f"{name}.jpg,a,{name}" for name in names]
    layout = read_layout(write_table(tmp_path, "\n".join(["path,label,split", *lines])))
    assert {path: split for path, _, split, _ in rows(layout)} == {
        **dict.fromkeys(["Training.jpg", "train_set.jpg"], "train"),
        **dict.fromkeys(["VAL.jpg", "dev.jpg", "evaluation.jpg"], "validation"),
        **dict.fromkeys(["testing.jpg", "test-images.jpg"], "test"),
    }


def test_a_split_that_says_more_than_a_split_is_unknown(tmp_path: Path) -> None:
    make(tmp_path, "1.jpg")
    data = write_table(tmp_path, "path,label,split\n1.jpg,a,seg_train\n")
    (problem,) = refusal(lambda: read_layout(data))
    assert "line 2 (seg_train). Expected train, validation or test" in problem


def test_labels_are_left_out_of_a_table_and_of_what_is_said_of_it(tmp_path: Path) -> None:
    make(tmp_path, "1.jpg", "2.jpg", "3.jpg")
    data = write_table(tmp_path, "path,label\n1.jpg,a\n2.jpg,b\n3.jpg,caf\u00e9\n")
    left_out = data.model_validate({"root": data.root, "leave_out": ["b", "cafe\u0301"]})
    layout = read_layout(left_out)
    assert (layout.labels, layout.found) == (["a"], 3)
    assert reasons(layout) == {"2.jpg": "label_left_out", "3.jpg": "label_left_out"}
