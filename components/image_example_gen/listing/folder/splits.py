"""Finds the top folders that are splits, by their names; refuses doubtful names."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from components.image_example_gen.listing.entries import is_clutter, printable
from components.image_example_gen.listing.folder.content import FolderContent, content
from components.image_example_gen.listing.folder.tree import FolderTree
from components.image_example_gen.listing.leave_out import leave_out_key
from components.image_example_gen.listing.split_names import split_name, split_of
from contracts.artifacts import features
from contracts.system.errors import DataError, some_of
from contracts.system.storage.remote_path import Root

# Names of splits that may be classes too: trains, valid and invalid papers.
_CLASSES_TOO: Final = ("train", "valid")
# Folders that tools write pictures into.
_TOOLS: Final = (
    *("runs", "wandb", "mlruns", "lightning_logs", "tb_logs", "tensorboard"),
    *("node_modules", "__pycache__"),
)


def split_folders(
    root: Root, tree: FolderTree, tops: Mapping[str, FolderContent]
) -> dict[str, str]:
    """Return the top folders that are splits, with the split of each; none if they are classes.

    They are splits if two of them have the names of different splits, or all the name of a split.

    Args:
      root: the data root.
      tree: all folders below it.
      tops: the top folders that may hold images, without those in `data.leave_out`.

    Raises:
      DataError: the folders are neither all splits nor all classes; all problems at once.
    """
    splits = _named_as_splits(tops)
    others = {top: tops[top] for top in tops if top not in splits}
    if splits and (len(set(splits.values())) > 1 or not others):
        problems = [
            *_find_misfits(root, splits, others),
            *_find_nested(root, tree, list(splits)),
            *_find_wrapped(root, tree, splits),
        ]
    else:
        problems = [
            *_find_doubtful(root, tree, list(splits), others),
            *_find_nested(root, tree, list(others)),
            *_find_tool_folders(root, others),
        ]
        splits = {}
    if problems:
        raise DataError(problems)
    return splits


def _named_as_splits(tops: Iterable[str]) -> dict[str, str]:
    """Return the folders that are named as splits, with names that differ only in the split."""
    by_stem: defaultdict[tuple[str, ...], dict[str, str]] = defaultdict(dict)
    for top in sorted(tops):
        if name := split_name(top):
            by_stem[name.stem][top] = name.split
    for stem in sorted(by_stem, key=len):
        meant = set(by_stem[stem].values())
        if len(meant) > 1 and (not stem or features.TRAIN in meant):
            return by_stem[stem]
    return by_stem[()]


def _find_misfits(
    root: Root, splits: Mapping[str, str], others: Mapping[str, FolderContent]
) -> Iterator[str]:
    """Give a problem for each folder that does not fit a layout of splits."""
    if others:
        yield (
            f"data.root: expected no images beside the splits {_folders(splits)} in {root}, "
            f"received {_with_files(others)}. Sort them into the splits, or leave them out: "
            f"{_left_out(others)}."
        )
    by_split: defaultdict[str, list[str]] = defaultdict(list)
    for top, split in splits.items():
        by_split[split].append(top)
    for split, same in by_split.items():
        if len(same) > 1:
            yield (
                f"data.root: expected one folder of the split {split} in {root}, received "
                f"{_folders(same)}. Merge them, or name one in data.leave_out."
            )
    if features.TRAIN not in by_split:
        yield (
            f"data.root: expected the split train in {root}, received only {_folders(splits)}. "
            "Name the folder of the training images train, or put the class folders into "
            "data.root itself, to have splits cut."
        )


def _find_doubtful(
    root: Root, tree: FolderTree, splits: Sequence[str], others: Mapping[str, FolderContent]
) -> Iterator[str]:
    """Give a problem if folders with the name of one split stand beside other folders."""
    doubtful = [top for top in splits if not _is_class(root, tree, top)]
    if not doubtful:
        return
    unused = others if features.TRAIN in map(split_of, doubtful) else doubtful
    yield (
        f"data.root: expected only splits or only classes as top folders of {root}, received "
        f"{_folders(doubtful)}, named as a split, beside {_folders(others)}. Rename what is a "
        "class. Name all splits train, validation or test, and leave out what is not used, "
        f"such as {_left_out(unused)}."
    )


def _is_class(root: Root, tree: FolderTree, top: str) -> bool:
    """Tell whether a folder with the name of a split is a class: it holds images itself."""
    itself = content(root, [(top, tree.folders[top])])
    return top.casefold() in _CLASSES_TOO and itself.may_hold_images


def _find_nested(root: Root, tree: FolderTree, tops: Sequence[str]) -> Iterator[str]:
    """Give a problem if folders below these hold splits."""
    meant: defaultdict[str, set[str]] = defaultdict(set)
    for folder in tree.folders:
        parent, _, name = folder.rpartition("/")
        if parent and parent.partition("/")[0] in tops and (split := split_of(name)):
            meant[parent].add(split)
    nested = _outermost(
        parent for parent, splits in meant.items() if len(splits) > 1 and features.TRAIN in splits
    )
    if nested:
        named = f"{root}/{printable(nested[0])}" if len(nested) == 1 else "one of these folders"
        yield (
            f"data.root: expected splits as top folders of {root}, received them in "
            f"{_folders(nested)}. Name {named} as data.root, "
            "or sort all images into <split>/<class>/."
        )


def _outermost(folders: Iterable[str]) -> list[str]:
    """Return the folders that are in no other one of them, sorted."""
    found: list[str] = []
    for folder in sorted(folders, key=lambda folder: folder.split("/")):
        if not found or not folder.startswith(f"{found[-1]}/"):
            found.append(folder)
    return found


def _find_wrapped(root: Root, tree: FolderTree, splits: Mapping[str, str]) -> Iterator[str]:
    """Give a problem if splits hold only a further folder of the split."""
    within: defaultdict[str, list[str]] = defaultdict(list)
    for folder in tree.folders:
        top, _, name = folder.partition("/")
        if top in splits and name and "/" not in name and not is_clutter(name):
            within[top].append(name)
    twice = [
        f"{top}/{names[0]}"
        for top, names in sorted(within.items())
        if len(names) == 1 and (inner := split_name(names[0])) and inner.split == splits[top]
    ]
    if twice:
        yield (
            f"data.root: expected class folders in the splits of {root}, received only a folder "
            f"of the split again: {_folders(twice)}. Move what it holds one folder up."
        )


def _find_tool_folders(root: Root, tops: Mapping[str, FolderContent]) -> Iterator[str]:
    """Give a problem if folders hold the output of tools."""
    written = {top: tops[top] for top in tops if top.casefold() in _TOOLS}
    if written:
        yield (
            f"data.root: expected a folder a class in {root}, received {_with_files(written)}, "
            f"which tools write. Leave them out: {_left_out(written)}, or rename what is a class."
        )


def _left_out(tops: Iterable[str]) -> str:
    return leave_out_key(list(map(printable, tops)))


def _folders(tops: Iterable[str]) -> str:
    return some_of([f"{printable(top)}/" for top in tops])


def _with_files(tops: Mapping[str, FolderContent]) -> str:
    return some_of([f"{printable(top)}/ ({found.count})" for top, found in tops.items()])
