"""`imgpipe data diff`: shows how the images differ between two runs."""

import argparse
import json

from contracts.artifacts.manifest.difference import (
    ImageChange,
    ManifestDifference,
    compare_manifests,
)
from contracts.system.errors import some_of
from pipeline.commands.chosen_run import chosen_run_with_data


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the runs."""
    parser.add_argument("before", metavar="RUN", help="a run's id")
    parser.add_argument("now", metavar="RUN", help="a later run's id")


def run(args: argparse.Namespace) -> int:
    """Print what was added, removed, relabelled, renamed, changed and moved to another split.

    Raises:
      InputError: there is no such run, or it has no manifest.
    """
    runs = [chosen_run_with_data(args, run_id) for run_id in (args.before, args.now)]
    found = compare_manifests(*(run.data.manifest for run in runs))
    if args.json:
        print(json.dumps(_as_json(found), indent=1, ensure_ascii=False))
        return 0
    lines = [
        ("Added", [f"{row.path} ({row.label})" for row in found.added]),
        ("Removed", [f"{row.path} ({row.label})" for row in found.removed]),
        ("Relabelled", [_labels(move) for move in found.relabelled]),
        ("Renamed", [f"{move.before.path} -> {move.now.path}" for move in found.renamed]),
        ("Other content", [move.now.path for move in found.changed]),
        ("Other split", [_splits(move) for move in found.resplit]),
    ]
    for what, names in lines:
        if names:
            print(f"{what} ({len(names):,}): {some_of(names)}")
    if not any(names for _, names in lines):
        print(f"The same images in {args.before} and {args.now}.")
    return 0


def _labels(move: ImageChange) -> str:
    return f"{move.before.path} ({move.before.label}) -> {move.now.path} ({move.now.label})"


def _splits(move: ImageChange) -> str:
    return f"{move.now.path} ({move.before.split} -> {move.now.split})"


def _as_json(found: ManifestDifference) -> dict[str, list[object]]:
    """Return rows for what was added and removed, and {"before": row, "now": row} for the rest."""
    return {
        name: [
            {"before": one.before._asdict(), "now": one.now._asdict()}
            if isinstance(one, ImageChange)
            else one._asdict()
            for one in values
        ]
        for name, values in vars(found).items()
    }
