import hashlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from components.image_example_gen.catalogue import NO_STAMP, Catalogue
from components.image_example_gen.layout import ImageFile, Layout
from components.image_example_gen.splits import (
    Cut,
    cut_of,
    key_of,
    position_of,
    small_classes,
    with_moves,
)

PARTS = {"train": 8, "validation": 1, "test": 1}


def layout_of(files: Iterable[ImageFile]) -> Layout:
    catalogue = Catalogue()
    catalogue.add((file, NO_STAMP) for file in files)
    return Layout("classes", "", Path(), catalogue)


def digest(name: object) -> str:
    return hashlib.sha256(str(name).encode()).hexdigest()


def key(name: object) -> str:
    return key_of(ImageFile("", ""), digest(name))


@pytest.mark.parametrize(
    ("brought", "shares"),
    [
        ([None], {"train": 0.8, "validation": 0.1, "test": 0.1}),
        (["train"], {"train": 0.8, "validation": 0.1, "test": 0.1}),
        (["train", "validation"], {"train": 8 / 9, "test": 1 / 9}),
        (["train", "test"], {"train": 8 / 9, "validation": 1 / 9}),
        ([None, "test"], {"train": 8 / 9, "validation": 1 / 9}),
        (["train", "validation", "test"], {"train": 1.0}),
    ],
)
def test_only_missing_splits_are_cut(brought: list[str | None], shares: dict[str, float]) -> None:
    files = [ImageFile(f"{split}", "a", split) for split in brought]
    cut = cut_of(layout_of(files), PARTS)
    assert cut.shares == pytest.approx(shares)
    for name in range(200):
        assert cut.split_of(ImageFile("1", "a", "test"), digest(name)) in (
            ["test"] if "test" in brought else shares
        )
        for split in (None, "train"):
            assert cut.split_of(ImageFile("1", "a", split), digest(name)) in shares


def test_shares_are_met_on_average() -> None:
    cut = Cut({"train": 0.8, "validation": 0.1, "test": 0.1})
    counts = Counter(cut.split_of_key(key(name)) for name in range(20_000))
    assert counts["train"] == pytest.approx(16_000, rel=0.02)
    assert counts["validation"] == pytest.approx(2_000, rel=0.1)
    assert counts["test"] == pytest.approx(2_000, rel=0.1)


def test_content_or_group_decides_and_nothing_else() -> None:
    cut = Cut({"train": 0.5, "test": 0.5})
    for name in range(50):
        same = {cut.split_of(ImageFile(path, path), digest(name)) for path in "abc"}
        assert len(same) == 1
        group = {cut.split_of(ImageFile("a", "a", None, f"{name}"), digest(i)) for i in range(9)}
        assert len(group) == 1


def test_positions_never_reach_the_end() -> None:
    positions = [position_of(key(name)) for name in range(1000)]
    assert all(0 <= position < 1 for position in positions)
    assert Cut({"train": 0.1, "validation": 0.2, "test": 0.7}).split_of_key(key(1)) in PARTS


def test_small_classes_stand_in_every_split() -> None:
    cut = cut_of(layout_of([ImageFile("", "")]), PARTS)
    for size in (3, 4, 7, 20):
        for trial in range(30):
            keys = [("a", key((size, trial, number))) for number in range(size)]
            moved = with_moves(cut, keys)
            splits = {moved.moved.get(one) or cut.split_of_key(one) for _, one in keys}
            assert splits == set(PARTS)
            assert len(moved.moved) <= 2


def test_training_comes_first_where_there_are_too_few_keys() -> None:
    cut = cut_of(layout_of([ImageFile("", "")]), PARTS)
    for trial in range(30):
        one = with_moves(cut, [("a", key(trial))])
        assert one.moved.get(key(trial), cut.split_of_key(key(trial))) == "train"


def test_a_group_that_several_classes_share_moves_only_if_all_can_spare_it() -> None:
    cut = Cut({"train": 0.5, "test": 0.5})
    names = iter(range(10_000))
    in_train = (key(name) for name in names if cut.split_of_key(key(name)) == "train")
    shared, of_a, of_b = next(in_train), next(in_train), next(in_train)
    keys = [("a", shared), ("a", of_a), ("b", shared), ("b", of_b)]
    moved = with_moves(cut, keys).moved
    for label in "ab":
        assert {moved.get(one, "train") for owner, one in keys if owner == label} == {
            "train",
            "test",
        }


def test_moves_go_to_the_nearest_key() -> None:
    cut = Cut({"train": 0.9, "test": 0.1})
    keys = [key(name) for name in range(40) if position_of(key(name)) < 0.9]
    moved = with_moves(cut, [("a", one) for one in keys]).moved
    assert moved == {max(keys, key=position_of): "test"}


def test_adding_images_moves_none_of_a_class_that_is_not_small() -> None:
    cut = cut_of(layout_of([ImageFile("", "")]), PARTS)
    before = [("a", key(name)) for name in range(200)]
    after = before + [("a", key(name)) for name in range(200, 400)] + [("b", key(0))]
    assert with_moves(cut, before).moved == {}
    assert set(with_moves(cut, after).moved) <= {key(0)}


def test_only_small_classes_are_read_ahead() -> None:
    def files(label: str, count: int, group: str | None = None) -> list[ImageFile]:
        return [ImageFile(f"{label}/{number}", label, None, group) for number in range(count)]

    layout = layout_of([*files("tiny", 10), *files("small", 100), *files("large", 300)])
    small = small_classes(layout, cut_of(layout, PARTS))
    assert {file.label for file in small.checked} == {"tiny"}
    assert {file.label for file in small.hashed} == {"small"}
    grouped = layout_of(files("large", 300, "one group"))
    assert len(small_classes(grouped, cut_of(grouped, PARTS)).checked) == 300
    brought = layout_of([ImageFile(split, "a", split) for split in PARTS])
    assert small_classes(brought, cut_of(brought, PARTS)).checked == []


def test_what_was_moved_stays_when_images_are_added() -> None:
    layout = layout_of([ImageFile("", "")])
    kept: dict[str, str] = {}
    keys: list[tuple[str, str]] = []
    splits: dict[str, str] = {}
    for name in range(60):  # one image of each class more, again and again
        keys += [(label, key((label, name))) for label in "abc"]
        cut = with_moves(cut_of(layout, PARTS, kept), keys)
        now = {one: cut.split_of_key(one) for _, one in keys}
        if name >= 2:  # enough for an image in each split
            assert name == 2 or splits.items() <= now.items()
            for label in "abc":
                assert {now[one] for which, one in keys if which == label} == set(PARTS)
        kept, splits = dict(cut.moved), now
