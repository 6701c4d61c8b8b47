"""How much more a recipe of ours learns than plain Keras, from the same photos in the same time."""

import json
import sys
from pathlib import Path
from typing import Any

from bench.contestants import IMGPIPE, newest_artifact
from bench.process import run

RECIPE = Path(__file__).with_name("recipes") / "few_photos.yaml"

# Of the time that is given: what training longer than foreseen may take.
USED = 0.95
TRIAL_EPOCHS = 3


def plain_accuracy(photos: Path, minutes: float, seed: int, folder: Path) -> float:
    """Return the validation accuracy of the plain Keras script."""
    command = [sys.executable, "-m", "bench.peers.plain_cnn", photos, minutes, seed]
    found = json.loads(run(command, folder / f"plain-{seed}.log").out)
    return float(found["accuracy"])


def our_accuracy(photos: Path, minutes: float, seed: int, folder: Path) -> float:
    """Return the validation accuracy of the recipe, with as many epochs as the time allows.

    A short trial, which is paid from the same minutes, tells how many these are.

    Raises:
      RuntimeError: it took longer.
    """
    workspace = folder / "workspace"
    options = ["--config", RECIPE, "--set", f"data.root={photos}", "--set", f"seed={seed}"]
    command = [IMGPIPE, "run", "--to", "ImageTransform", "--json", "--workspace", workspace]
    run([*command, *options], folder / "transform.log")
    examples = newest_artifact(workspace, "ImageTransform", "transformed_examples")

    def trained(epochs: int, output: Path) -> dict[str, Any]:
        command = [sys.executable, "-m", "trainer", *options, "--set", f"trainer.epochs={epochs}"]
        run([*command, "--examples", examples, "--output", output], folder / f"{output.name}.log")
        record: dict[str, Any] = json.loads((output / "training.json").read_text())
        return record

    trial = trained(TRIAL_EPOCHS, folder / f"trial-{seed}")
    epoch_s = trial["seconds"] / TRIAL_EPOCHS  # the first one compiles: a little too much
    left_s = minutes * 60 - trial["seconds"]
    record = trained(int(left_s * USED / epoch_s), folder / f"ours-{seed}")
    if record["seconds"] > left_s:
        raise RuntimeError(f"{record['seconds']:.0f} s of training where {left_s:.0f} were left")
    return float(record["history"]["val_accuracy"][record["best_epoch"]])
