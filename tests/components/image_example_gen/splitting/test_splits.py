import hashlib
import random
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from components.image_example_gen.listing.catalogue import NO_STAMP, Catalogue
from components.image_example_gen.listing.entries import ImageFile
from components.image_example_gen.listing.layout import Layout
from components.image_example_gen.splitting import splits
from components.image_example_gen.splitting.splits import (
    SmallClasses,
    SplitPlan,
    balance_splits,
    find_small_classes,
    key_position,
    plan_splits,
    split_key,
    split_sizes,
)

PARTS = {"train": 8, "validation": 1, "test": 1}
SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}


def layout_of(files: Iterable[ImageFile]) -> Layout:
    catalogue = Catalogue()
    catalogue.add((file, NO_STAMP) for file in files)
    return Layout("classes", "", Path(), catalogue)


def digest(name: object) -> str:
    return hashlib.sha256(str(name).encode()).hexdigest()


def key(name: object) -> str:
    return split_key(None, digest(name))


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
    plan = plan_splits(layout_of(files), PARTS)
    assert plan.shares == pytest.approx(shares)
    for name in range(200):
        assert plan.split_of(ImageFile("1", "a", "test"), digest(name)) in (
            ["test"] if "test" in brought else shares
        )
        for split in (None, "train"):
            assert plan.split_of(ImageFile("1", "a", split), digest(name)) in shares


def test_shares_are_met_on_average() -> None:
    plan = SplitPlan({"train": 0.8, "validation": 0.1, "test": 0.1})
    counts = Counter(plan.split_of_key(key(name)) for name in range(20_000))
    assert counts["train"] == pytest.approx(16_000, rel=0.02)
    assert counts["validation"] == pytest.approx(2_000, rel=0.1)
    assert counts["test"] == pytest.approx(2_000, rel=0.1)


def test_content_or_group_decides_and_nothing_else() -> None:
    plan = SplitPlan({"train": 0.5, "test": 0.5})
    for name in range(50):
        same = {plan.split_of(ImageFile(path, path), digest(name)) for path in "abc"}
        assert len(same) == 1
        group = {plan.split_of(ImageFile("a", "a", None, f"{name}"), digest(i)) for i in range(9)}
        assert len(group) == 1


def test_positions_never_reach_the_end() -> None:
    positions = [key_position(key(name)) for name in range(1000)]
    assert all(0 <= position < 1 for position in positions)
    assert SplitPlan({"train": 0.1, "validation": 0.2, "test": 0.7}).split_of_key(key(1)) in PARTS


def cut_by(keys: Iterable[tuple[str, str]], *, settled: Iterable[str] = ()) -> SplitPlan:
    return balance_splits(SplitPlan(SHARES), keys, frozenset(settled))


def counts(plan: SplitPlan, keys: Iterable[tuple[str, str]], label: str) -> list[int]:
    splits = Counter(plan.split_of_key(one) for owner, one in keys if owner == label)
    return [splits[split] for split in SHARES]


@pytest.mark.parametrize(
    ("images", "parts"),
    [
        (1, [1, 0, 0]),
        (3, [1, 1, 1]),
        (5, [3, 1, 1]),
        (10, [8, 1, 1]),
        (19, [15, 2, 2]),
        (100, [80, 10, 10]),
        (104, [83, 11, 10]),
        (999, [799, 100, 100]),
    ],
)
def test_each_split_gets_its_part_of_a_small_class_exactly(images: int, parts: list[int]) -> None:
    assert list(split_sizes(images, SHARES).values()) == parts
    for trial in range(5):
        keys = [("a", key((images, trial, number))) for number in range(images)]
        assert counts(cut_by(keys), keys, "a") == parts


def test_order_and_names_play_no_part() -> None:
    keys = [(label, key((label, n))) for label in "abc" for n in range(70)]
    moves = cut_by(keys).moved
    assert moves
    for seed in range(5):
        assert cut_by(random.Random(seed).sample(keys, len(keys))).moved == moves


def test_moves_go_to_the_nearest_keys() -> None:
    names = [key(name) for name in range(40)]
    plan = balance_splits(SplitPlan({"train": 0.9, "test": 0.1}), [("a", one) for one in names])
    by_position = sorted(names, key=key_position)
    assert {one for one in names if plan.split_of_key(one) == "test"} == set(by_position[-4:])


def test_no_old_image_moves_when_images_are_added_and_new_ones_repair_the_balance() -> None:
    keys: list[tuple[str, str]] = []
    before: dict[str, str] = {}
    kept = SplitPlan(SHARES)
    for step in range(60):
        keys += [(label, key((label, step, n))) for label in "ab" for n in range(1 + step % 7)]
        kept = balance_splits(SplitPlan(SHARES, dict(kept.moved)), keys, before)
        now = {one: kept.split_of_key(one) for _, one in keys}
        assert before.items() <= now.items()
        before = now
        size = sum(label == "a" for label, _ in keys)
        parts = list(split_sizes(size, SHARES).values())
        off = [abs(one - part) for one, part in zip(counts(kept, keys, "a"), parts, strict=True)]
        assert max(off) <= 1
    assert len(keys) > 400


def test_classes_that_lean_to_one_side_are_repaired_by_what_comes_new() -> None:
    plan = SplitPlan(SHARES)
    old = [one for one in map(key, range(200)) if plan.split_of_key(one) == "train"][:90]
    new = [("a", key(name)) for name in range(1000, 1030)]
    keys = [("a", one) for one in old] + new
    assert counts(cut_by(keys, settled=old), keys, "a") == [96, 12, 12]


def test_groups_and_copies_stay_whole_and_parts_are_met_as_near_as_that_allows() -> None:
    sizes = {split_key(f"g{number}", ""): 1 + number % 5 for number in range(60)}
    keys = [("a", one) for one, size in sizes.items() for _ in range(size)]
    found = counts(cut_by(keys), keys, "a")
    assert sum(found) == 180
    for count, part in zip(found, [144, 18, 18], strict=True):
        assert abs(count - part) <= 2


def test_large_groups_do_not_leave_a_split_empty() -> None:
    keys = [("a", split_key(f"g{number}", "")) for number in range(4) for _ in range(50)]
    assert min(counts(cut_by(keys), keys, "a")) == 50


def test_a_picture_of_several_classes_stands_in_one_split_and_all_get_their_parts() -> None:
    shared = [key(("shared", number)) for number in range(20)]
    keys = [(label, one) for label in "ab" for one in shared]
    keys += [(label, key((label, number))) for label in "ab" for number in range(80)]
    plan = cut_by(keys)
    for label in "ab":
        assert counts(plan, keys, label) == [80, 10, 10]


def test_small_classes_are_read_ahead_and_large_ones_are_not() -> None:
    def files(label: str, count: int, group: str | None = None) -> list[ImageFile]:
        return [ImageFile(f"{label}/{number}", label, None, group) for number in range(count)]

    layout = layout_of([*files("tiny", 10), *files("small", 1000), *files("large", 1001)])
    small = find_small_classes(layout, plan_splits(layout, PARTS))
    assert (small.checked, small.hashed) == (["tiny"], ["small"])
    grouped = layout_of(files("large", 2000, "one group"))
    assert find_small_classes(grouped, plan_splits(grouped, PARTS)).checked == ["large"]
    brought = layout_of([ImageFile(split, "a", split) for split in PARTS])
    assert find_small_classes(brought, plan_splits(brought, PARTS)) == SmallClasses([], [])


def test_not_more_files_are_read_ahead_than_that_is_worth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splits, "_STRATIFIED_FILES", 1000)
    sizes = {"a": 600, "b": 500, "c": 150, "d": 400}
    layout = layout_of(ImageFile(f"{x}/{n}", x) for x, size in sizes.items() for n in range(size))
    assert find_small_classes(layout, plan_splits(layout, PARTS)).hashed == ["c", "d"]
