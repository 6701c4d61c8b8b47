"""A training -> a run in Weights & Biases, which is an optional dependency."""

import logging
import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from shlex import quote
from typing import Any

from contracts.config.tracking import WandbConfig
from contracts.environment.optional_libraries import WANDB
from contracts.system.errors import ComponentError
from trainer.tracking.tracker import LoggedPoints, Point, TrackedTraining

LOGGER = logging.getLogger(__name__)

FAILED_EXIT_CODE = 1
STARTS_WITHIN_S = 60


class WandbRun:
    """Parameters, metrics, pictures and files of one training; silent.

    Without a key (WANDB_API_KEY, or what `wandb login` wrote) it is kept offline. Metrics of
    epochs have Keras' names, those of steps begin with `step/`. A training that was interrupted
    goes on in its run online; offline in a new one, which has the epochs before too.
    """

    name = "Weights & Biases"

    def __init__(self, config: WandbConfig, default_project: str, folder: str) -> None:
        self.run_id = ""
        self.logged = LoggedPoints()
        self._config = config
        self._project = config.project or default_project
        self._folder = folder
        self._run: Any = None

    def begin(self, training: TrackedTraining) -> str:
        """Start the run; see `Tracker`."""
        WANDB.require()
        import wandb

        Path(self._folder).mkdir(parents=True, exist_ok=True)
        mode: str = self._config.mode
        if mode == "auto":
            with_key = "online" if wandb.api.api_key else "offline"
            mode = os.environ.get("WANDB_MODE", with_key)
        if mode == "online" and not wandb.api.api_key:
            raise ComponentError(
                "tracking.wandb.mode: online: expected a key in WANDB_API_KEY or by `wandb login`, "
                "found none. Set it, or set tracking.wandb.mode to offline."
            )
        run_before = training.runs.get(self.name, "")
        try:
            self._run = self._started(training, mode, run_before)
        except (wandb.Error, OSError) as error:
            cause = str(error).strip().partition("\n")[0].rstrip(".")
            raise ComponentError(
                f"tracking.wandb: expected a run that can be started ({mode}), received: {cause}. "
                "Set tracking.wandb.mode to offline to keep it in files."
            ) from error
        if self._run.resumed:
            before = self._run.summary
            epochs = frozenset(range(1, int(before.get("epoch", 0)) + 1))
            self.logged = LoggedPoints(epochs, int(before.get("step", 0)))
        self.run_id = self._run.id
        for scale, names in (("epoch", "*"), ("step", "step/*")):
            self._run.define_metric(scale, hidden=True)
            self._run.define_metric(names, step_metric=scale)
        if mode == "offline":
            folder = quote(str(Path(self._run.dir).parent))
            return f"run {training.name}, offline; `wandb sync {folder}`"
        return f"run {training.name} at {self._run.url}"

    def _started(self, training: TrackedTraining, mode: str, run_before: str) -> Any:
        """Return a run; what is offline cannot be gone on with, nor what is no longer there."""
        import wandb

        options: dict[str, Any] = {
            "project": self._project,
            "entity": self._config.entity,
            "name": training.name,
            "dir": self._folder,
            "mode": mode,
            "config": {
                **training.parameters(),
                "data.fingerprint": training.dataset.fingerprint,
                "data.examples": training.dataset.examples,
            },
            "settings": wandb.Settings(
                silent=True,
                console="off",
                disable_git=True,
                disable_code=True,
                init_timeout=STARTS_WITHIN_S,
            ),
        }
        begin = partial(wandb.init, **options)
        if run_before and mode == "online":
            try:
                return begin(id=run_before, resume="must")
            except wandb.Error:
                LOGGER.warning("the run %s cannot be gone on with", run_before, exc_info=True)
        goes_on = f"Goes on from run {run_before}." if run_before else ""
        return begin(notes=" ".join(filter(None, [goes_on, training.note])) or None)

    def used(self, parameters: Mapping[str, str]) -> None:
        """Add them to the run's config; see `Tracker`."""
        named = {f"used.{name}": value for name, value in parameters.items()}
        self._run.config.update(named, allow_val_change=True)

    def log(self, points: Sequence[Point]) -> None:
        """Log each point against its own axis; see `Tracker`."""
        for point in points:
            prefix = "" if point.scale == "epoch" else "step/"
            named = {f"{prefix}{name}": value for name, value in point.metrics.items()}
            self._run.log({**named, point.scale: point.number})

    def picture(self, name: str, path: Path) -> None:
        """Log an image; see `Tracker`."""
        import wandb

        self._run.log({f"pictures/{name}": wandb.Image(str(path))})

    def artifact(self, path: Path) -> None:
        """Keep a file, or those in a folder; see `Tracker`."""
        files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
        for file in files:
            self._run.save(str(file), base_path=str(path.parent), policy="now")

    def end(self, *, is_finished: bool) -> None:
        """Finish the run; see `Tracker`."""
        self._run.finish(exit_code=0 if is_finished else FAILED_EXIT_CODE)
