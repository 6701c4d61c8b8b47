"""Folders and tables to list, and what a listing says of them."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from components.image_example_gen.listing.layout import Layout
from contracts.config.data import DataConfig
from contracts.system.errors import DataError


def make(root: Path, *paths: str) -> DataConfig:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    return DataConfig(root=root)


def numbered(*folders: str, count: int = 3) -> Iterable[str]:
    return (f"{folder}/{index}.jpg" for folder in folders for index in range(count))


def rows(layout: Layout) -> list[tuple[str, str, str | None, str | None]]:
    return [(file.path, file.label, file.split, file.group) for file in layout.files]


def reasons(layout: Layout) -> dict[str, str]:
    return {skipped.path: skipped.reason for skipped in layout.skipped}


def refusal(call: Callable[[], object]) -> tuple[str, ...]:
    with pytest.raises(DataError) as caught:
        call()
    return caught.value.problems


def write_table(root: Path, text: str | bytes) -> DataConfig:
    root.mkdir(parents=True, exist_ok=True)
    table = root / "images.csv"
    table.write_bytes(text if isinstance(text, bytes) else text.encode())
    return DataConfig(root=table)
