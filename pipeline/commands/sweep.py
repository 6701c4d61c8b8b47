"""`imgpipe sweep`: compares values of the config over seeds; `--search` finds the best values."""

import argparse
import sys
from pathlib import Path

from contracts.artifacts import features
from contracts.system.errors import InputError
from pipeline.component_ids import AUGMENTER, IMAGE_TRANSFORM
from pipeline.preflight.preflight import Preflight, preflight
from pipeline.sweep.variants import (
    OPTION,
    SweepVariant,
    combinations,
    with_and_without_augmentation,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of a comparison and of a search."""
    parser.add_argument(
        OPTION,
        action="append",
        default=[],
        metavar="KEY=V1,V2",
        help="compare these values of a key of trainer or augmentation; the first is the baseline; "
        "repeat it for every combination (default: without augmentation and with it)",
    )
    parser.add_argument(
        "--seeds", type=int, default=3, metavar="N", help="seeds for each variant (default: 3)"
    )
    parser.add_argument(
        "--metric", choices=("accuracy", "loss"), default="accuracy", help="default: accuracy"
    )
    parser.add_argument(
        "--split",
        choices=(features.VALIDATION, features.TEST),
        default=features.VALIDATION,
        help="the split to compare on (default: validation; values chosen on test look too good)",
    )
    parser.add_argument(
        "--search", action="store_true", help="search the config's search.space for the best values"
    )
    parser.add_argument(
        "--write",
        type=Path,
        metavar="FILE",
        help="with --search: write a config with the best values to FILE",
    )


def run(args: argparse.Namespace) -> int:
    """Compare or search, and print the results.

    Raises:
      InputError: the config, the data or the call is wrong.
    """
    _require_call(args)
    checked = preflight(args.config, args.overrides, args.workspace, searches=args.search)
    if args.search:
        from pipeline.sweep.search import search

        return search(checked, args)
    config = checked.config
    if args.vary:
        variants = combinations(config, args.vary, args.config.parent)
    else:
        variants = with_and_without_augmentation(config)
    return _compare(checked, variants, args)


def _require_call(args: argparse.Namespace) -> None:
    problems = []
    if args.seeds < 1:
        problems.append(f"--seeds: expected an integer >= 1, received {args.seeds}.")
    if args.search and args.vary:
        problems.append(
            f"{OPTION}: expected no --search with it: a search varies the keys of search.space."
        )
    if args.write and not args.search:
        problems.append("--write: expected --search, whose best values it writes.")
    if problems:
        raise InputError(problems)


def _compare(checked: Preflight, variants: list[SweepVariant], args: argparse.Namespace) -> int:
    from pipeline.local.runner import run_pipeline
    from pipeline.summary_table import print_failure
    from pipeline.sweep.runner import SweepPlan, run_sweep
    from pipeline.sweep.table import print_sweep

    has_copies = checked.config.augmentation.materialise.min_examples > 0
    summary = run_pipeline(checked, args.workspace, AUGMENTER if has_copies else IMAGE_TRANSFORM)
    if summary.status == "failed":
        return print_failure(summary, args.workspace)
    first = checked.config.seed
    sweep = SweepPlan(
        variants=variants,
        seeds=range(first, first + args.seeds),
        dataset_uri=summary.data.transformed,
        split=args.split,
        metric=args.metric,
        copies_uri=summary.augmentation.examples,
    )
    record, folder = run_sweep(sweep, args.workspace)
    if args.json:
        print(record.model_dump_json(indent=1))
    else:
        print()
        print_sweep(record, sys.stdout)
        print(f"Record: {folder}")
    return 1 if record.failed() else 0
