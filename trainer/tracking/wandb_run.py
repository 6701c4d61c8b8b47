"""A training -> a run in Weights & Biases, which is an optional dependency."""

import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from contracts.errors import ComponentError
from contracts.tracking import WandbConfig
from trainer.tracking.tracker import Point, Training

FAILED_EXIT_CODE = 1
STARTS_WITHIN_S = 60


class WandbRun:
    """Parameters, metrics, pictures and files of one training; silent.

    Without a key (WANDB_API_KEY, or what `wandb login` wrote) it is kept offline. Metrics of
    epochs have Keras' names, those of steps begin with `step/`.
    """

    name = "Weights & Biases"

    def __init__(self, config: WandbConfig, default_project: str, folder: str) -> None:
        self.run_id = ""
        self._config = config
        self._project = config.project or default_project
        self._folder = folder
        self._run: Any = None

    def begin(self, training: Training) -> str:
        """Start the run; see `Tracker`."""
        if importlib.util.find_spec("wandb") is None:
            raise ComponentError(
                "tracking.wandb.enabled: expected the package wandb, which is not installed. "
                "Install it (pip install 'imgpipe[wandb]'), or set it to false."
            )
        import wandb

        Path(self._folder).mkdir(parents=True, exist_ok=True)
        mode = self._config.mode
        if mode == "auto":
            with_key = "online" if wandb.api.api_key else "offline"
            mode = os.environ.get("WANDB_MODE", with_key)
        if mode == "online" and not wandb.api.api_key:
            raise ComponentError(
                "tracking.wandb.mode: online: expected a key in WANDB_API_KEY or by `wandb login`, "
                "found none. Set it, or set tracking.wandb.mode to offline."
            )
        try:
            self._run = wandb.init(
                project=self._project,
                entity=self._config.entity,
                name=training.name,
                dir=self._folder,
                mode=mode,
                config={
                    **training.parameters(),
                    "data.fingerprint": training.dataset.fingerprint,
                    "data.examples": training.dataset.examples,
                },
                settings=wandb.Settings(
                    silent=True,
                    console="off",
                    disable_git=True,
                    disable_code=True,
                    init_timeout=STARTS_WITHIN_S,
                ),
            )
        except (wandb.Error, OSError) as error:
            cause = str(error).strip().partition("\n")[0].rstrip(".")
            raise ComponentError(
                f"tracking.wandb: expected a run that can be started ({mode}), received: {cause}. "
                "Set tracking.wandb.mode to offline to keep it in files."
            ) from error
        self.run_id = self._run.id
        for scale, names in (("epoch", "*"), ("step", "step/*")):
            self._run.define_metric(scale, hidden=True)
            self._run.define_metric(names, step_metric=scale)
        if mode == "offline":
            return f"run {training.name}, offline; `wandb sync {Path(self._run.dir).parent}`"
        return f"run {training.name} at {self._run.url}"

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
