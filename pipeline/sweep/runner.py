"""Runs a sweep: one training after another on the same data, with a record on the disk."""

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
from pipeline.local.output_redirection import output_redirected_to
from pipeline.local.terminal import START, Terminal
from pipeline.summary import ComponentSummary
from pipeline.sweep.sweep_record import (
    SweepMetric,
    SweepRecord,
    SweepTraining,
    read_record,
    sweep_id,
)
from pipeline.sweep.training_process import train_in_process
from pipeline.sweep.variants import SweepVariant
from pipeline.workspace import opened_for_run
from trainer.search.runs import Runs, open_runs
from trainer.training.identity import examples_identity

LOG_FILE = "sweep.log"


@dataclass(frozen=True)
class SweepPlan:
    """The variants, the seeds and the data of a sweep, and the metric that compares them."""

    variants: Sequence[SweepVariant]  # the first is the baseline
    seeds: Sequence[int]
    dataset_uri: str  # transformed examples
    split: str
    metric: SweepMetric
    copies_uri: str = ""  # changed copies of training images, for variants that make some

    def dataset_uris(self, variant: SweepVariant) -> list[str]:
        """Return the data that a variant is trained on."""
        has_copies = variant.config.augmentation.materialise.min_examples > 0
        return [self.dataset_uri, *([self.copies_uri] if has_copies else ())]


def run_sweep(sweep: SweepPlan, workspace: Path) -> tuple[SweepRecord, Path]:
    """Run the trainings that are missing, and return the record and its folder.

    The record is written after each training, so that the next call goes on with a killed sweep. A
    failed training is recorded, and tried again by the next call.

    Raises:
      InputError: the split has no images.
      WorkspaceError: the workspace cannot be written, or is in use, or the record cannot be read.
    """
    images = _require_images(sweep)
    with opened_for_run(workspace) as opened:
        config = sweep.variants[0].config
        folder = opened.sweeps / _identity(sweep, opened.root)
        folder.mkdir(parents=True, exist_ok=True)
        record = _record(sweep, folder, images)
        waiting = [pair for pair in _pairs(sweep) if not record.ended(pair[0].name, pair[1])]
        log = folder / LOG_FILE
        with (
            output_redirected_to(log) as stream,
            Terminal(stream, heading="training").showing() as terminal,
        ):
            _show(sweep, record, terminal)
            if waiting or record.untracked():
                store = opened.tracking_plan(config).runs_store
                runs = _nested_runs(record, sweep, store, terminal)
                record = record.continued_in(runs.run_id)
                record.write(folder)
                with runs:
                    known = (_tracked(one, sweep, runs) for one in record.untracked())
                    trained = _trainings(sweep, waiting, runs, terminal, log)
                    for training in chain(known, trained):
                        record = record.with_training(training)
                        record.write(folder)
        record = record.with_results(sweep.variants)
        record.write(folder)
        return record, folder


def _record(sweep: SweepPlan, folder: Path, images: int) -> SweepRecord:
    """Return the record in the folder, or a new one, with the seeds and the metric of the call."""
    record = read_record(folder) or SweepRecord(
        sweep_id=folder.name, split=sweep.split, images=images, metric=sweep.metric, seeds=[]
    )
    return record.model_copy(update={"seeds": list(sweep.seeds), "metric": sweep.metric})


def _require_images(sweep: SweepPlan) -> int:
    """Return how many images the split has."""
    images = ImageDataset.read(sweep.dataset_uri).examples.get(sweep.split, 0)
    if not images:
        raise InputError(
            f"--split {sweep.split}: expected images in this split, found none. Give "
            f"data.splits.{sweep.split} a larger part, or name another split."
        )
    return images


def _nested_runs(
    record: SweepRecord, sweep: SweepPlan, store: TrackingStore | None, terminal: Terminal
) -> Runs:
    began_s = time.monotonic()
    terminal.show_start(START, "opening MLflow's store" if store else "")
    params = {"split": sweep.split, "metric": sweep.metric, "seeds": len(sweep.seeds)}
    runs = open_runs(store, f"sweep {record.sweep_id}", params, record.mlflow_run_id)
    seconds = time.monotonic() - began_s
    terminal.show_end(START, ComponentSummary(state="done", seconds=seconds, cached=False, why=""))
    return runs


def _trainings(
    sweep: SweepPlan,
    waiting: Sequence[tuple[SweepVariant, int]],
    runs: Runs,
    terminal: Terminal,
    log: Path,
) -> Iterator[SweepTraining]:
    """Train one after another and show it; yield each training, and again when MLflow has it."""
    for variant, seed in waiting:
        name = _name(variant, seed)
        terminal.show_start(name)
        training = _train(variant, seed, sweep, log)
        terminal.show_end(name, _shown(training))
        yield training
        yield _tracked(training, sweep, runs)


def _tracked(training: SweepTraining, sweep: SweepPlan, runs: Runs) -> SweepTraining:
    """Add a training to MLflow, and return it with that mark."""
    variant = next(one for one in sweep.variants if one.name == training.variant)
    reached = {"accuracy": training.accuracy, "loss": training.loss}
    runs.add(
        _name(variant, training.seed),
        {**variant.values, "variant": variant.name, "seed": training.seed},
        training.history,
        {key: value for key, value in reached.items() if value is not None},
        training.why,
    )
    return training.model_copy(update={"is_tracked": True})


def _train(variant: SweepVariant, seed: int, sweep: SweepPlan, log: Path) -> SweepTraining:
    try:
        trained = train_in_process(variant.recipe(seed), sweep.dataset_uris(variant), sweep.split)
        _require_number(trained.loss, sweep.split)
    except ComponentError as error:
        why = with_log(str(error), log)
        return SweepTraining(variant=variant.name, seed=seed, status="failed", why=why)
    return SweepTraining(
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
    """Raise ComponentError for a loss that cannot be compared."""
    if not math.isfinite(loss):
        raise ComponentError(
            f"the loss on {split} is NaN or infinite. Try a tenth of trainer.learning_rate, or "
            "trainer.precision: float32."
        )


def _pairs(sweep: SweepPlan) -> Iterator[tuple[SweepVariant, int]]:
    """Yield the trainings seed by seed: with each seed there is one more pair to compare."""
    for seed in sweep.seeds:
        for variant in sweep.variants:
            yield variant, seed


def _identity(sweep: SweepPlan, workspace: Path) -> str:
    """Return the id of all that the results depend on; seeds and metric are no part of it.

    It is the same after the workspace was moved.
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


def _show(sweep: SweepPlan, record: SweepRecord, terminal: Terminal) -> None:
    pairs = list(_pairs(sweep))
    terminal.show_waiting(_name(variant, seed) for variant, seed in pairs)
    for variant, seed in pairs:
        ended = record.ended(variant.name, seed)
        if ended is not None:
            shown = _shown(ended).model_copy(update={"state": "cached", "cached": True})
            terminal.show_end(_name(variant, seed), shown)


def _name(variant: SweepVariant, seed: int) -> str:
    return f"{variant.name}, seed {seed}"


def _shown(training: SweepTraining) -> ComponentSummary:
    seconds = training.seconds
    if training.accuracy is None or training.loss is None:
        return ComponentSummary(state="failed", seconds=seconds, cached=False, why=training.why)
    why = f"accuracy {training.accuracy:.4f}, loss {training.loss:.4f}"
    return ComponentSummary(state="done", seconds=seconds, cached=False, why=why)
