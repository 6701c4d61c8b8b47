"""Checkpoints: the state of a training on the disk, from which it resumes as if never stopped."""

import json
import logging
import os
import shutil
import time
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from contracts.system.atomic_files import link

STATE_FILE = "state.npz"
BEST_FILE = "best.weights.h5"
LAST_FILE = "last.weights.h5"
RECORD = "record"
GROUPS = ("model", "optimizer", "metrics")  # of variables

KEPT_UNUSED_S = 14 * 24 * 3600

LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingProgress:
    """How far a training has come, and the values that it began with."""

    batch_size: int
    learning_rate: float
    rates_tried: dict[str, list[float]] | None = None  # by the search for a learning rate
    step: int = 0  # steps done
    seconds: float = 0.0  # of training
    history: dict[str, list[float]] = field(default_factory=dict)  # metric -> value of each epoch
    epoch_seconds: list[float] = field(default_factory=list)  # how long each epoch took
    epoch_ends_ms: list[int] = field(default_factory=list)  # when each ended, since 1970
    best_epoch: int | None = None  # from 0

    @property
    def epochs(self) -> int:
        """Epochs that are done."""
        return len(self.history.get("loss", ()))

    def is_out_of_patience(self, patience: int, first_epoch: int) -> bool:
        """Return whether so many epochs since `first_epoch` brought no better one; 0: never."""
        if not patience or self.best_epoch is None:
            return False
        return self.epochs - 1 - max(self.best_epoch, first_epoch - 1) >= patience

    def after_epoch(
        self, logs: dict[str, float], monitor: str, seconds: float, ended_ms: int
    ) -> "TrainingProgress":
        """Return the progress with one more epoch, the best one where its metric says so.

        Args:
          logs: the metrics of the epoch.
          monitor: the metric that decides the best epoch.
          seconds: of the training up to the end of the epoch.
          ended_ms: when the epoch ended.
        """
        # A metric that a callback adds in some epochs alone has no value of each epoch.
        names = [name for name in (self.history or logs) if name in logs]
        history = {name: [*self.history.get(name, ()), float(logs[name])] for name in names}
        values = np.array(history[monitor])
        values = -values if monitor.endswith("accuracy") else values
        finite = np.isfinite(values)
        best = int(np.argmin(np.where(finite, values, np.inf))) if finite.any() else None
        return replace(
            self,
            history=history,
            best_epoch=best,
            epoch_seconds=[*self.epoch_seconds, seconds - sum(self.epoch_seconds)],
            epoch_ends_ms=[*self.epoch_ends_ms, ended_ms],
        )


class Checkpoint:
    """A folder with the last state and the best weights; each file appears whole or not at all.

    The weights of an epoch that is the best so far are written before the state that says so, and
    those of the best one before it are removed after that: the weights of a state are always there.

    The state is the variables of the model, of its optimiser and of its metrics: weights,
    averages, random numbers, and what was counted of the epoch that is running.
    """

    def __init__(self, folder: Path, begins_from: "Checkpoint | None" = None) -> None:
        """Open the folder, made where it is missing, with the state of another one if given."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        if begins_from is not None:
            for path in begins_from._folder.glob("[!.]*"):
                shutil.copy(path, folder)

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self._folder

    def best(self, epoch: int) -> Path:
        """Return the file of the network's weights after an epoch that was the best so far."""
        return self._folder / f"epoch-{epoch}.{BEST_FILE}"

    def save(self, progress: TrainingProgress, model: Any) -> None:
        """Put the state of a compiled and built model in the place of the last one."""
        arrays = {
            f"{group}/{number}": _array(variable)
            for group in GROUPS
            for number, variable in enumerate(_variables(model, group))
        }
        record = np.frombuffer(json.dumps(asdict(progress)).encode(), np.uint8)
        partial = self._folder / f".{STATE_FILE}.partial"
        with partial.open("wb") as file:
            np.savez(file, **arrays, **{RECORD: record})
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self._folder / STATE_FILE)
        for path in self._folder.glob(f"epoch-*.{BEST_FILE}"):
            if progress.best_epoch is None or path != self.best(progress.best_epoch):
                path.unlink()

    def save_best(self, network: Any, epoch: int) -> None:
        """Keep the network's weights after the epoch that is the best so far."""
        _save_weights(network, self.best(epoch))

    def save_last(self, network: Any) -> None:
        """Keep the network's weights as they are at the end of the training."""
        _save_weights(network, self._folder / LAST_FILE)

    def weights(self, best_epoch: int) -> tuple[Path, Path]:
        """Return the files of the best and of the last weights."""
        return self.best(best_epoch), self._folder / LAST_FILE

    def copy_weights(self, folder: Path, best_epoch: int) -> None:
        """Link the best and the last weights into another folder."""
        for source, name in zip(self.weights(best_epoch), (BEST_FILE, LAST_FILE), strict=True):
            link(source, folder / name)

    @classmethod
    def of(cls, root: Path, key: str) -> "Checkpoint":
        """Return the checkpoint of a training, and remove those not used for two weeks."""
        for other in root.iterdir() if root.is_dir() else ():
            # Another machine or run may remove the same ones.
            with suppress(FileNotFoundError):
                if other.name != key and time.time() - other.stat().st_mtime > KEPT_UNUSED_S:
                    shutil.rmtree(other)
        checkpoint = cls(root / key)
        os.utime(checkpoint.folder)
        return checkpoint

    def remove_state(self) -> None:
        """Remove the state that a training resumes from; saved weights stay."""
        (self._folder / STATE_FILE).unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove the folder."""
        self.remove_state()  # first: without the state no training resumes
        shutil.rmtree(self._folder)

    def progress(self) -> TrainingProgress | None:
        """Return the progress of the last state; None where there is none that can be used."""
        path = self._folder / STATE_FILE
        if not path.exists():
            return None
        try:
            with np.load(path) as arrays:
                progress = TrainingProgress(**json.loads(arrays[RECORD].tobytes()))
        except (EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile):
            LOGGER.warning("%s cannot be read: the training begins anew.", path, exc_info=True)
            return None
        if progress.best_epoch is not None and not self.best(progress.best_epoch).exists():
            missing = self.best(progress.best_epoch)
            LOGGER.warning("%s is missing: the training begins anew.", missing)
            return None
        return progress

    def restore(self, model: Any, groups: Sequence[str] = ("model", "optimizer")) -> None:
        """Give a built model the variables of the last state; it is compiled, but for "model".

        The metrics, which `fit` sets back when an epoch begins, are a group of their own.
        """
        with np.load(self._folder / STATE_FILE) as arrays:
            for group in groups:
                for number, variable in enumerate(_variables(model, group)):
                    variable.assign(arrays[f"{group}/{number}"])


def _save_weights(network: Any, path: Path) -> None:
    partial = path.with_name(f".partial.{path.name}")  # Keras goes by the end of the name
    network.save_weights(partial)
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(path)


def _variables(model: Any, group: str) -> list[Any]:
    if group == "model":
        return [*model.network.variables, *model.augmentation.variables]
    return list(model.optimizer.variables if group == "optimizer" else model.metrics_variables)


def _array(variable: Any) -> Any:
    array = np.asarray(variable)
    # NumPy's files know no bfloat16.
    return array if array.dtype.kind in "biuf" else array.astype(np.float32)
