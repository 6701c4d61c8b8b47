"""`make bench`: what imgpipe costs, as ratios measured in one run on one machine."""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from bench import figures
from bench.accuracy import our_accuracy, plain_accuracy
from bench.contestants import Run, run_bare_loops, run_fitting, run_imgpipe, run_ingestion, run_peer
from bench.figures import Figure
from bench.images import PHOTO, SMALL, Kind, add_images, image_folder
from bench.peers.work import Work

INCREMENT = 100  # one image in so many is new
POINTS_ASKED_FOR = 8.0


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    repetitions: int
    small: int
    photos: int
    many_photos: int  # so many that starting up is the small part that it is with real data
    growth: tuple[int, int, int]
    minutes: float  # of training, for each seed and side


FULL = Size(
    3, small=50_000, photos=3_000, many_photos=10_000, growth=(1_000, 20_000, 200_000), minutes=15
)
SHORT = Size(1, small=5_000, photos=500, many_photos=500, growth=(500, 2_000, 10_000), minutes=1)


def cold_runs(size: Size, scratch: Path) -> Iterator[Figure]:
    """Yield what a first run costs beside the peers', and what is repeated of it afterwards."""
    small = _work(SMALL, size.small, scratch)
    ours, scripts, stocks, bare = [], [], [], []
    unchanged, changed = [], []
    for _ in range(size.repetitions):
        shutil.rmtree(small.folder, ignore_errors=True)
        ours.append(run_imgpipe(small))
        bare.append(run_bare_loops(small))
        unchanged.append(run_imgpipe(small))
        changed.append(run_imgpipe(small, "--set", "trainer.weight_decay=0.01"))
        scripts.append(run_peer("keras_script", _beside(small, "script")))
        stocks.append(run_peer("stock_tfx", _beside(small, "stock")))
    many = f"{size.small:,} small images"
    yield Figure(f"cold run / Keras script, {many}", _walls(ours), _walls(scripts), limit=1.5)
    yield Figure(
        f"overhead / stock TFX's, {many}", _overheads(ours), _overheads(stocks), limit=1 / 3
    )
    yield Figure("unchanged run / cold run", _walls(unchanged), _walls(ours))
    yield Figure(
        "changed model, besides imports and training / the same of a cold run",
        [_besides_imports(run) for run in changed],
        [_besides_imports(run) for run in ours],
    )
    for name, floor, limit in (
        ("ImageTransform", "transform", 2.0),
        ("ModelEvaluator", "evaluate", 3.0),
    ):
        yield Figure(
            f"{name} / bare loop, {many}",
            [run.component_s(name) for run in ours],
            [seconds[floor] for seconds in bare],
            limit=limit,
        )
    yield Figure(
        "export of the model / Keras's own",
        [seconds["our_export"] for seconds in bare],
        [seconds["export"] for seconds in bare],
    )


def training(size: Size, scratch: Path) -> Iterator[Figure]:
    """Yield what the training costs beside a bare `model.fit`, and what TFX puts around it."""
    work = _work(SMALL, size.small, scratch)
    shutil.rmtree(work.folder, ignore_errors=True)
    run = run_imgpipe(work)
    around_s = run.component_s("Trainer") - run.training_s
    paces: dict[str, list[float]] = {name: [] for name in ("ours", "bare", "without_data")}
    for _ in range(size.repetitions):
        for name, found in paces.items():
            found.append(run_fitting(work, name))
    many = f"{size.small:,} small images"
    ms = {name: [1000 / pace for pace in found] for name, found in paces.items()}
    yield Figure(
        f"training / bare fit in memory, {many}", ms["ours"], ms["bare"], "ms an image", 1 / 0.95
    )
    yield Figure(
        f"training / the same without data, {many}",
        ms["ours"],
        ms["without_data"],
        "ms an image",
        1 / 0.95,
    )
    yield Figure(f"Trainer besides fitting, {many}", [around_s], [1.0], "s", 10.0)


def accuracy(size: Size, scratch: Path) -> Iterator[Figure]:
    """Yield the 8 points that a recipe has to be above plain Keras, by how many it is."""
    data = Path(os.environ.get("IMGPIPE_REAL_DATA", Path(__file__).parents[2] / "shared" / "data"))
    photos = data / "clothing-dev"
    if not photos.is_dir():
        sys.exit(f"bench: expected real photos in {photos}, set IMGPIPE_REAL_DATA to their folder.")
    folder = scratch / "work" / "accuracy"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    points = []
    for seed in range(size.repetitions):
        plain = plain_accuracy(photos, size.minutes, seed, folder)
        ours = our_accuracy(photos, size.minutes, seed, folder)
        print(f"seed {seed}: ours {ours:.4f}, plain Keras {plain:.4f}", file=sys.stderr)
        points.append(100 * (ours - plain))
    mean = max(sum(points) / len(points), 0.01)
    name = f"points asked for / above plain Keras, clothes, {size.minutes:g} min"
    yield Figure(name, [POINTS_ASKED_FOR], [mean], "points", 1.0)


def photos(size: Size, scratch: Path) -> Iterator[Figure]:
    """Yield what a first run on photos costs beside stock TFX."""
    work = replace(_work(PHOTO, size.photos, scratch), size_px=96)
    ours, stocks = [], []
    for _ in range(size.repetitions):
        shutil.rmtree(work.folder, ignore_errors=True)
        ours.append(run_imgpipe(work))
        stocks.append(run_peer("stock_tfx", _beside(work, "stock")))
    name = f"overhead / stock TFX's, {size.photos:,} photos"
    yield Figure(name, _overheads(ours), _overheads(stocks), limit=0.5)


def ingestion(size: Size, scratch: Path) -> Iterator[Figure]:
    """Yield what ingestion costs beside reading, decoding and writing every image once."""
    for kind, count, limit in ((SMALL, size.small, 1 / 0.6), (PHOTO, size.many_photos, 1 / 0.8)):
        work = _work(kind, count, scratch)
        runs = [run_ingestion(work) for _ in range(size.repetitions)]
        many = f"{count:,} {'photos' if kind is PHOTO else 'small images'}"
        yield Figure(
            f"ingestion / bare loops, {many}",
            [run["ours"] for run in runs],
            [run["floor"] for run in runs],
            limit=limit,
        )
        yield Figure(
            f"cores idle while ingesting, {many}",
            [run["idle"] for run in runs],
            [1.0] * len(runs),
            "",
            0.15,
        )


def growth(size: Size, scratch: Path) -> Iterator[Figure]:
    """Yield how time and memory grow with the images, and what one percent more of them costs."""
    works = [_growing(count, scratch) for count in size.growth]
    runs = [run_imgpipe(work) for work in works]
    _, some, many = size.growth
    peaks = [run.usage.peak_mib for run in runs]
    name = f"peak memory, {many:,} / {some:,} images"
    yield Figure(name, [peaks[2]], [peaks[1]], "MiB", 1.2)
    walls = _walls(runs)
    for more, fewer in ((1, 0), (2, 1)):
        yield Figure(
            f"time an image, {size.growth[more]:,} / {size.growth[fewer]:,} images",
            [1000 * walls[more] / size.growth[more]],
            [1000 * walls[fewer] / size.growth[fewer]],
            "ms",
            1.0,
        )
    numbers = range(many, many + many // INCREMENT)
    grown, alone = works[2], _growing(0, scratch)
    for work in (grown, alone):
        add_images(SMALL, numbers, work.images)
    incremental, new = (run_imgpipe(work, "--to", "ImageTransform") for work in (grown, alone))
    yield Figure(
        "up to training, 1 % more images / all images",
        [incremental.usage.seconds],
        [walls[2] - sum(map(runs[2].component_s, TRAINING_AND_LATER))],
    )
    yield Figure(
        "up to training, 1 % more images / these alone",
        [incremental.usage.seconds],
        [new.usage.seconds],
        limit=2.0,
    )


TRAINING_AND_LATER = ("Trainer", "ChampionResolver", "ModelEvaluator", "ModelGate", "ModelPusher")


def _growing(count: int, scratch: Path) -> Work:
    """Return work on a folder of so many images that more can be added to."""
    work = replace(_work(SMALL, count, scratch), epochs=1)
    shutil.rmtree(work.folder, ignore_errors=True)
    own = work.folder / "images"
    if count:
        shutil.copytree(work.images, own, copy_function=os.link)
    return replace(work, images=own)


def _work(kind: Kind, count: int, scratch: Path) -> Work:
    images = image_folder(kind, count, scratch)
    folder = scratch / "work" / f"{kind.name}-{count}"
    return Work(images=images, folder=folder, size_px=32, epochs=2, batch_size=64)


def _beside(work: Work, name: str) -> Work:
    return replace(work, folder=work.folder.with_name(f"{work.folder.name}-{name}"))


def _walls(runs: list[Run]) -> list[float]:
    return [run.usage.seconds for run in runs]


def _overheads(runs: list[Run]) -> list[float]:
    return [run.overhead_s for run in runs]


def _besides_imports(run: Run) -> float:
    return run.overhead_s - float(run.summary["seconds"]["start"])


PARTS = {
    "cold": cold_runs,
    "training": training,
    "photos": photos,
    "ingestion": ingestion,
    "growth": growth,
    "accuracy": accuracy,
}
# Takes an hour and a half, and photos that are not everywhere.
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
        "--compare", type=Path, metavar="FILE", help="measure what it holds again, and show both"
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
                # The limits are for the full size: on small data fixed costs are most of it.
                measured.append(replace(figure, limit=None) if is_short else figure)
                print(f"{figure.name}: {figure.ratio:.2f}", file=sys.stderr)
    shutil.rmtree(scratch / "work", ignore_errors=True)
    figures.print_table(measured, before, sys.stdout)
    if args.json:
        figures.write(measured, is_short, args.json)
    return 0 if all(figure.holds for figure in measured) else 1


if __name__ == "__main__":
    sys.exit(main())
