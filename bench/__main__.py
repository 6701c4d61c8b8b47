"""`make bench`: the cost of imgpipe, as ratios measured in one run on one machine."""

import argparse
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from bench import figures
from bench.parts import accuracy, cold, growth, ingestion, photos, training
from bench.parts.sizes import FULL, SHORT

PARTS = {
    "cold": cold.measure,
    "training": training.measure,
    "photos": photos.measure,
    "ingestion": ingestion.measure,
    "growth": growth.measure,
    "accuracy": accuracy.measure,
}
# It takes an hour and a half, and needs photos that are not in the repository.
ONLY_BY_NAME = ("accuracy",)


def main() -> int:
    """Measure, print a table, and return 1 where a figure is over its limit."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument(
        "--short", action="store_true", help="small data, once, without limits: minutes"
    )
    parser.add_argument("--only", choices=PARTS, help="one part of it")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    parser.add_argument(
        "--compare", type=Path, metavar="FILE", help="measure the same again, and show both"
    )
    parser.add_argument("--scratch", type=Path, metavar="DIR", help="where images are kept")
    args = parser.parse_args()
    before, is_short = figures.read(args.compare) if args.compare else ([], args.short)
    scratch = args.scratch or Path(tempfile.gettempdir(), "imgpipe-bench")
    scratch.mkdir(parents=True, exist_ok=True)
    measured = []
    for name, part in PARTS.items():
        if args.only == name or (args.only is None and name not in ONLY_BY_NAME):
            for figure in part(SHORT if is_short else FULL, scratch):
                # The limits apply to the full size: on small data most of the time is fixed costs.
                measured.append(replace(figure, limit=None) if is_short else figure)
                print(f"{figure.name}: {figure.ratio:.2f}", file=sys.stderr)
    shutil.rmtree(scratch / "work", ignore_errors=True)
    figures.print_table(measured, before, sys.stdout)
    if args.json:
        figures.write(measured, is_short, args.json)
    return 0 if all(figure.holds for figure in measured) else 1


if __name__ == "__main__":
    sys.exit(main())
