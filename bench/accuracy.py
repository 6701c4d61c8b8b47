"""Accuracy of a recipe of ours and of plain Keras, from the same photos in the same time."""

import json
import os
import sys
from pathlib import Path
from typing import Any

from bench.contestants import IMGPIPE, newest_artifact
from bench.process import run

RECIPE = "few_photos"

# Share of the remaining time that the epochs are planned for.
USED = 0.95
TRIAL_EPOCHS = (
    1,
    8,
)  # far apart, so that the start of a training hardly disturbs the seconds of an epoch
# The photos have a validation split of their own; next to none are held back for a test.
NO_TEST = ("--set", "data.splits={train: 1000, validation: 1, test: 1}")
UNTRACKED = ("--set", "tracking.mlflow.enabled=false", "--set", "explanation.pictures=false")


def plain_accuracy(photos: Path, minutes: float, seed: int, folder: Path) -> float:
    """Return the validation accuracy of the plain Keras script after so many minutes of all cores.

    Minutes are CPU time, here and below, so that other load of the machine hardly matters.
    """
    command = [sys.executable, "-m", "bench.peers.plain_cnn", photos, minutes, seed]
    found = json.loads(run(command, folder / f"plain-{seed}.log").out)
    return float(found["accuracy"])


def our_accuracy(photos: Path, minutes: float, seed: int, folder: Path) -> float:
    """Return the validation accuracy of the recipe, with as many epochs as the minutes allow.

    Two short trials, which count towards the minutes, give the number of epochs. A training that
    takes longer is repeated with fewer epochs.
    """
    workspace = folder / "workspace"
    options = _options(photos, seed, folder)
    command = [IMGPIPE, "run", "--to", "ImageTransform", "--json", "--workspace", workspace]
    run([*command, *options], folder / "transform.log")
    examples = newest_artifact(workspace, "ImageTransform", "transformed_examples")

    def trained(epochs: int, output: Path) -> float:
        command = [sys.executable, "-m", "trainer", *options, *UNTRACKED]
        command += ["--set", f"trainer.epochs={epochs}"]
        log = folder / f"{output.name}.log"
        return run([*command, "--examples", examples, "--output", output], log).cpu_s

    trials = [trained(epochs, folder / f"trial-{seed}-{epochs}") for epochs in TRIAL_EPOCHS]
    epoch_s = (trials[1] - trials[0]) / (TRIAL_EPOCHS[1] - TRIAL_EPOCHS[0])
    startup_s = trials[0] - TRIAL_EPOCHS[0] * epoch_s  # such as imports
    left_s = minutes * 60 * len(os.sched_getaffinity(0)) - sum(trials)
    epochs = int((left_s * USED - startup_s) / epoch_s)
    while True:
        output = folder / f"ours-{seed}-{epochs}"
        used_s = trained(epochs, output)
        if used_s <= left_s:
            break
        print(f"{epochs} epochs took {used_s:.0f} s of {left_s:.0f}: fewer", file=sys.stderr)
        epochs = int(epochs * USED * left_s / used_s)
    record: dict[str, Any] = json.loads((output / "training.json").read_text())
    return float(record["history"]["val_accuracy"][record["best_epoch"]])


def _options(photos: Path, seed: int, folder: Path) -> list[object]:
    """Write the recipe's config if it is missing, and return the options that name it."""
    config = folder / "recipe" / "pipeline.yaml"
    if not config.exists():
        run([IMGPIPE, "init", config.parent, "--recipe", RECIPE], folder / "init.log")
    return ["--config", config, "--set", f"data.root={photos}", "--set", f"seed={seed}", *NO_TEST]
