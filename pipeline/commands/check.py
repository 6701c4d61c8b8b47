"""`imgpipe check`: checks the config and the data folder, and shows how a run would read them."""

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any, Final

from components.image_example_gen.listing.entries import printable
from components.image_example_gen.listing.layout import Layout
from components.image_example_gen.listing.trainable import missing_splits
from components.image_example_gen.splitting.splits import plan_splits, split_sizes
from components.model_gate.small_split import small_split_sentence
from contracts.artifacts import features
from contracts.config.data import DataConfig, SplitsConfig
from contracts.config.loading.config_schema import config_schema
from contracts.config.pipeline_config import PipelineConfig
from contracts.system.errors import EXAMPLES_SHOWN, some_of
from pipeline.commands.next_command import next_command
from pipeline.preflight.preflight import Preflight, preflight
from pipeline.workspace import Workspace
from pipeline.workspace_registry import open_registry, require_loadable

CLASSES_SHOWN: Final = 20

# The accuracy for which the test images are counted before there is a model. A lower accuracy takes
# more images to be known as well.
GOOD_ACCURACY: Final = 0.9

Counts = Mapping[str, Mapping[str, int]]  # class -> split, or UNSPLIT -> files

# The column of files that the data puts into no split.
UNSPLIT: Final = "unsplit"

# Reason for which files are skipped -> how the user gets them used.
_NEXT_STEPS: Final = {
    "outside_class_folder": "Sort the images among them into class folders to use them.",
    "no_such_file": "Correct the paths of the table.",
    "no_label": "Fill in the labels to use them.",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare --schema; all others are common options."""
    parser.add_argument(
        "--schema", action="store_true", help="print the JSON schema of pipeline.yaml, for editors"
    )


def run(args: argparse.Namespace) -> int:
    """Print the classes and the warnings, or the schema.

    Raises:
      InputError: all problems that would stop a run, in the config, the data, the workspace and
        the environment. Or the champion's SavedModel is missing.
      ComponentError: the registry does not answer.
    """
    if args.schema:
        print(json.dumps(config_schema(), indent=1))
        return 0
    checked = preflight(args.config, args.overrides, args.workspace)
    registry = open_registry(Workspace(args.workspace.resolve()), checked.config)
    require_loadable(registry.champion() if registry else None)
    if args.json:
        print(json.dumps(_as_json(checked), indent=1, ensure_ascii=False))
        return 0
    _print_report(checked)
    print(f"Next: {next_command('run', args)}")
    return 0


def _as_json(checked: Preflight) -> dict[str, Any]:
    layout = checked.layout
    return {
        "name": checked.config.name,
        "data": {
            "root": str(checked.config.data.root),
            "layout": layout.kind,
            "description": layout.description,
            "files": len(layout.files),
            "classes": counts(layout),
            "skipped": [
                {"path": printable(one.path), "reason": one.reason, "detail": one.detail}
                for one in layout.skipped
            ],
            "empty_classes": layout.empty_classes,
        },
        "warnings": _warnings(layout, checked.config),
        "config": checked.config.model_dump(mode="json", by_alias=True),
    }


def counts(layout: Layout) -> dict[str, dict[str, int]]:
    """Return the number of files by class and split; only splits in which a class has files."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for (label, split), count in layout.counts.items():
        found[label][split or UNSPLIT] += count
    return {label: dict(found[label]) for label in sorted(found)}


def _print_report(checked: Preflight) -> None:
    layout, config = checked.layout, checked.config
    by_class = counts(layout)
    print(f"{config.data.root}: {layout.description}")
    print(f"{len(layout.files):,} files, {len(by_class)} classes.\n")
    print(_table(by_class))
    for note in [*_notes(layout, config.data), *_warnings(layout, config)]:
        print(note)
    print(
        f"Model {config.name}: {config.trainer.model} on {config.preprocessing.image_size_px} px, "
        f"at most {config.trainer.epochs} epochs. Config and data are fit for a run."
    )


def _table(by_class: Counts) -> str:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    present = {split for row in by_class.values() for split in row}
    columns = [split for split in (*features.SPLITS, UNSPLIT) if split in present]
    shown, hidden = _largest_and_smallest(by_class)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("class")
    for column in columns:
        table.add_column(column, justify="right")
    for position, label in enumerate(shown):
        if hidden and position == CLASSES_SHOWN // 2:
            table.add_row(Text(f"... {hidden} more"))
        table.add_row(Text(label), *(f"{by_class[label].get(name, 0):,}" for name in columns))
    totals = (sum(row.get(name, 0) for row in by_class.values()) for name in columns)
    table.add_row(Text("all classes"), *(f"{total:,}" for total in totals), style="bold")
    console = Console(file=sys.stdout)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


def _largest_and_smallest(by_class: Counts) -> tuple[list[str], int]:
    """Return the classes to show, and how many are left out between them.

    All classes by name, or, where they are many, the largest and the smallest by size.
    """
    if len(by_class) <= CLASSES_SHOWN:
        return list(by_class), 0
    by_size = sorted(by_class, key=lambda label: -sum(by_class[label].values()))
    half = CLASSES_SHOWN // 2
    return by_size[:half] + by_size[-half:], len(by_class) - CLASSES_SHOWN


def _notes(layout: Layout, data: DataConfig) -> list[str]:
    notes = []
    cut = missing_splits(layout)
    if cut:
        parts = data.splits
        notes.append(
            f"{' and '.join(cut)} will be cut from the training images by content "
            f"(train {parts.train} : validation {parts.validation} : test {parts.test})."
        )
    for reason, count in layout.catalogue.skip_reasons().items():
        first = layout.catalogue.skipped_for(reason, EXAMPLES_SHOWN)
        paths = some_of([printable(file.path) for file in first], count=count)
        next_step = f". {_NEXT_STEPS[reason]}" if reason in _NEXT_STEPS else ""
        notes.append(f"Skipped, {reason.replace('_', ' ')} ({count:,}): {paths}{next_step}")
    if layout.empty_classes:
        empty = layout.empty_classes
        notes.append(f"Empty class folders, left out ({len(empty):,}): {some_of(empty)}")
    return notes


def _warnings(layout: Layout, config: PipelineConfig) -> list[str]:
    """Return warnings about the size of the test split."""
    is_cut = features.TEST in missing_splits(layout)
    images = _images_to_test(layout, config.data.splits)
    has = "will have about" if is_cut else "has"
    warning = small_split_sentence(GOOD_ACCURACY, images, config.evaluation, has=has)
    return [warning] if warning else []


def _images_to_test(layout: Layout, splits: SplitsConfig) -> int:
    """Return how many test images the data has, or about how many will be cut."""
    by_class = counts(layout).values()
    if features.TEST in layout.splits:
        return sum(row.get(features.TEST, 0) for row in by_class)
    shares = plan_splits(layout, splits.model_dump()).shares
    pools = (row.get(features.TRAIN, 0) + row.get(UNSPLIT, 0) for row in by_class)
    return sum(split_sizes(pool, shares)[features.TEST] for pool in pools)
