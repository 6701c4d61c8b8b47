from pathlib import Path

from components.image_example_gen.listing.layout_reading import read_layout
from components.image_example_gen.listing.trainable import require_trainable
from contracts.config.data import DataConfig
from tests.components.image_example_gen.listing.conftest import (
    make,
    numbered,
    refusal,
    write_table,
)


def test_untrainable_layouts_are_refused_all_at_once(tmp_path: Path) -> None:
    def problems(name: str, *paths: str) -> tuple[str, ...]:
        data = make(tmp_path / name, *paths)
        return refusal(lambda: require_trainable(read_layout(data), data))

    one, small = problems("one", "cat/1", "cat/2")
    assert "at least 2 classes" in one
    assert "cat (2)" in small
    (small,) = problems("small", *numbered("cat", "dog"), "bird/1", "fish/1")
    assert "bird (1), fish (1)" in small
    (small,) = problems("cut", *numbered("train/cat", count=1), *numbered("train/a", "val/a"))
    assert "(test); found fewer of cat (1)" in small
    (untrained,) = problems(
        "untrained", *numbered("train/cat", "train/dog", "test/dog", "val/cat", "test/bird")
    )
    assert "found none of bird" in untrained
    (none,) = problems("none", "cat/.1", "dog/Thumbs.db")
    assert "none of the 2 entries" in none
    (tmp_path / "bare" / "cat").mkdir(parents=True)
    (bare,) = problems("bare")
    assert "hold no files" in bare


def test_a_table_without_training_images_is_refused(tmp_path: Path) -> None:
    make(tmp_path, "1.jpg", "2.jpg")
    data = write_table(tmp_path, "path,label,split\n1.jpg,a,val\n2.jpg,b,test\n")
    (problem,) = refusal(lambda: require_trainable(read_layout(data), data))
    assert "expected training images" in problem
    assert "received only images of validation and test. Write train into the column" in problem


def test_a_class_without_training_images_may_be_left_out(tmp_path: Path) -> None:
    data = make(tmp_path, *numbered("train/cat", "train/dog", "test/cat", "test/unknown"))
    (problem,) = refusal(lambda: require_trainable(read_layout(data), data))
    assert "found none of unknown" in problem
    assert problem.endswith("leave the classes out: data.leave_out: [unknown].")
    left_out = DataConfig(root=tmp_path, leave_out=("unknown",))
    layout = read_layout(left_out)
    require_trainable(layout, left_out)
    assert (layout.labels, layout.splits) == (["cat", "dog"], ["train", "test"])


def test_what_a_table_lacks_are_rows_not_folders(tmp_path: Path) -> None:
    def problems(*lines: str) -> tuple[str, ...]:
        data = write_table(tmp_path, "\n".join(["path,label,split", *lines]))
        return refusal(lambda: require_trainable(read_layout(data), data))

    make(tmp_path, "1.jpg", "2.jpg", "3.jpg")
    one, small = problems("1.jpg,a,", "2.jpg,a,")
    assert one.endswith("found only 'a'. Add rows with another label.")
    assert small.endswith("Add rows of images, or leave the classes out: data.leave_out: [a].")
    (missing, _) = problems("1.jpg,a,train", "2.jpg,b,test")
    assert "found none of b. Add rows of training images, or leave" in missing
    (gone,) = problems("gone.jpg,a,")
    assert gone.endswith(f"Correct paths and labels: paths are relative to {tmp_path}.")
    (bare,) = problems()
    assert bare.endswith("images.csv has no rows. Add a row for each image.")
    for said in (one, small, missing, gone, bare):
        assert "folder" not in said
