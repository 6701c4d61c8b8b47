"""A sweep from the checked config to its record: the data once, then one training after another."""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from contracts.artifacts.image_dataset import ImageDataset
from contracts.cache_key.training_digest import training_digest
from contracts.config.tracking import TrackingStore
from contracts.system.errors import ComponentError, InputError, with_log
from pipeline.local.output import output_in
from pipeline.local.terminal import START, Terminal
from pipeline.summary import ComponentSummary
from pipeline.sweep.process import train_apart
from pipeline.sweep.record import Metric, SweepRecord, Training, read_record, sweep_id
from pipeline.sweep.variants import Variant
from pipeline.workspace import opened_for_run
from trainer.search.runs import Runs, open_runs
from trainer.training.identity import examples_identity

LOG_FILE = "sweep.log"


@dataclass(frozen=True)
class Sweep:
    """What is trained, on what, and how it is judged."""

    variants: Sequence[Variant]  # the first is the baseline
    seeds: Sequence[int]
    dataset_uri: str  # transformed examples
    split: str
    metric: Metric
    copies_uri: str = ""  # changed copies of training images, for variants that make some

    def dataset_uris(self, variant: Variant) -> list[str]:
        """Return what a variant is trained on."""
        has_copies = variant.config.augmentation.materialise.min_examples > 0
        return [self.dataset_uri, *([self.copies_uri] if has_copies else ())]


def run_sweep(sweep: Sweep, workspace: Path) -> tuple[SweepRecord, Path]:
    """Train what has not been trained yet, and return the record and the folder that it lies in.

    The record stands on the disk after each training: a sweep that was killed goes on when it is
    called again. A training that failed is told, and tried once more by the next call.

    Raises:
      InputError: the split has no images.
      WorkspaceError: the workspace cannot be written, or is in use, or the record cannot be read.
    """
    images = _require_images(sweep)
    with opened_for_run(workspace) as opened:
        config = sweep.variants[0].config
        identity = _identity(sweep, opened.root)
        folder = opened.sweeps / identity
        folder.mkdir(parents=True, exist_ok=True)
        record = read_record(folder) or SweepRecord(
            sweep_id=identity, split=sweep.split, images=images, metric=sweep.metric, seeds=[]
        )
        record = record.model_copy(update={"seeds": list(sweep.seeds), "metric": sweep.metric})
        waiting = [pair for pair in _pairs(sweep) if not record.ended(pair[0].name, pair[1])]
        log = folder / LOG_FILE
        with (
            output_in(log) as stream,
            Terminal(stream, heading="training").showing() as terminal,
        ):
            _show(sweep, record, terminal)
            if waiting or record.untold():
                store = opened.tracking_plan(config).runs_store
                runs = _nested_runs(record, sweep, store, terminal)
                record = record.told_in(runs.run_id)
                record.write(folder)
                with runs:
                    known = (_told(one, sweep, runs) for one in record.untold())
                    trained = _trainings(sweep, waiting, runs, terminal, log)
                    for training in chain(known, trained):
                        record = record.with_training(training)
                        record.write(folder)
        record = record.with_results(sweep.variants)
        record.write(folder)
        return record, folder


def _require_images(sweep: Sweep) -> int:
    """Return how many images the split has."""
    images = ImageDataset.read(sweep.dataset_uri).examples.get(sweep.split, 0)
    if not images:
        raise InputError(
            f"--split {sweep.split}: expected images in this split, found none. Give "
            f"data.splits.{sweep.split} a larger part, or name another split."
        )
    return images


def _nested_runs(
    record: SweepRecord, sweep: Sweep, store: TrackingStore | None, terminal: Terminal
) -> Runs:
    began_s = time.monotonic()
    terminal.began(START, "opening MLflow's store" if store else "")
    params = {"split": sweep.split, "metric": sweep.metric, "seeds": len(sweep.seeds)}
    runs = open_runs(store, f"sweep {record.sweep_id}", params, record.mlflow_run_id)
    seconds = time.monotonic() - began_s
    terminal.ended(START, ComponentSummary(state="done", seconds=seconds, cached=False, why=""))
    return runs


def _trainings(
    sweep: Sweep,
    waiting: Sequence[tuple[Variant, int]],
    runs: Runs,
    terminal: Terminal,
    log: Path,
) -> Iterator[Training]:
    """Train one after another, show it, and give what came of each; again when MLflow is told."""
    for variant, seed in waiting:
        name = _name(variant, seed)
        terminal.began(name)
        training = _train(variant, seed, sweep, log)
        terminal.ended(name, _shown(training))
        yield training
        yield _told(training, sweep, runs)


def _told(training: Training, sweep: Sweep, runs: Runs) -> Training:
    """Tell MLflow of a training, and return it as one that is told."""
    variant = next(one for one in sweep.variants if one.name == training.variant)
    reached = {"accuracy": training.accuracy, "loss": training.loss}
    runs.add(
        _name(variant, training.seed),
        {**variant.values, "variant": variant.name, "seed": training.seed},
        training.history,
        {key: value for key, value in reached.items() if value is not None},
        training.why,
    )
    return training.model_copy(update={"told": True})


def _train(variant: Variant, seed: int, sweep: Sweep, log: Path) -> Training:
    try:
        trained = train_apart(variant.recipe(seed), sweep.dataset_uris(variant), sweep.split)
        _require_number(trained.loss, sweep.split)
    except ComponentError as error:
        why = with_log(str(error), log)
        return Training(variant=variant.name, seed=seed, status="failed", why=why)
    return Training(
        variant=variant.name,
        seed=seed,
        status="completed",
        accuracy=trained.accuracy,
        loss=trained.loss,
        best_epoch=trained.best_epoch + 1,
        history=trained.history,
        seconds=trained.seconds,
    )


def _require_number(loss: float, split: str) -> None:
    """Refuse a loss that none compares with: the best epoch was chosen without it."""
    if not math.isfinite(loss):
        raise ComponentError(
            f"the loss on {split} is NaN or infinite. Try a tenth of trainer.learning_rate, or "
            "trainer.precision: float32."
        )


def _pairs(sweep: Sweep) -> Iterator[tuple[Variant, int]]:
    """Yield the trainings, seed by seed, so that there are pairs from the beginning."""
    for seed in sweep.seeds:
        for variant in sweep.variants:
            yield variant, seed


def _identity(sweep: Sweep, workspace: Path) -> str:
    """Return what a training's result follows from; more seeds and another metric go on with it.

    The workspace may be moved.
    """
    return sweep_id(
        {
            "variants": [variant.recipe(0).model_dump(mode="json") for variant in sweep.variants],
            "names": [variant.name for variant in sweep.variants],
            "dataset": [
                examples_identity(ImageDataset.unite(sweep.dataset_uris(variant)), workspace)
                for variant in sweep.variants
            ],
            "split": sweep.split,
            "training": training_digest(*(variant.recipe(0) for variant in sweep.variants)),
        }
    )


def _show(sweep: Sweep, record: SweepRecord, terminal: Terminal) -> None:
    pairs = list(_pairs(sweep))
    terminal.shows(_name(variant, seed) for variant, seed in pairs)
    for variant, seed in pairs:
        ended = record.ended(variant.name, seed)
        if ended is not None:
            shown = _shown(ended).model_copy(update={"state": "cached", "cached": True})
            terminal.ended(_name(variant, seed), shown)


def _name(variant: Variant, seed: int) -> str:
    return f"{variant.name}, seed {seed}"


def _shown(training: Training) -> ComponentSummary:
    if training.accuracy is None or training.loss is None:
        state, why = "failed", training.why
    else:
        state, why = "done", f"accuracy {training.accuracy:.4f}, loss {training.loss:.4f}"
    return ComponentSummary(state=state, seconds=training.seconds, cached=False, why=why)
