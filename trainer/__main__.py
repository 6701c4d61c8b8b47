"""Training without TFX: on a machine with nothing but Keras and a backend, or on several.

`imgpipe-train --config pipeline.yaml --examples FOLDER --output FOLDER` trains what the
config says on the transformed examples of a run (`imgpipe run --to ImageTransform`). Started
again after an interruption it goes on from the last checkpoint. With KERAS_BACKEND=jax it needs
no TensorFlow; with TF_CONFIG it is one of several machines that share the output folder.
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from contracts.errors import ConfigError, InputError, PipelineError
from contracts.load import load_config
from contracts.progress import LOGGER
from contracts.variation import recipe_of
from trainer.data import ImageDataset
from trainer.record import TrainingRecord

NETWORK_FILE = "network.keras"
STATE_FOLDER = "state"

EXIT_FAILED = 1
EXIT_WRONG_INPUT = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Train and return the exit code: 0 done, 1 failed, 2 the config or the call is wrong."""
    parser = argparse.ArgumentParser(prog="imgpipe-train", description=__doc__.split("\n")[0])
    parser.add_argument("--config", type=Path, default=Path("pipeline.yaml"), metavar="FILE")
    parser.add_argument(
        "--set", dest="overrides", action="append", default=[], metavar="SECTION.KEY=VALUE"
    )
    parser.add_argument(
        "--examples", type=Path, required=True, metavar="DIR", help="transformed examples of a run"
    )
    parser.add_argument(
        "--output", type=Path, required=True, metavar="DIR", help="weights, network and history"
    )
    args = parser.parse_args(argv)
    logging.basicConfig(format="%(message)s", stream=sys.stdout)
    LOGGER.setLevel(logging.INFO)
    try:
        _train(args)
    except PipelineError as error:
        for problem in error.problems:
            print(f"trainer: {problem}", file=sys.stderr)
        return EXIT_WRONG_INPUT if isinstance(error, InputError) else EXIT_FAILED
    return 0


def _train(args: argparse.Namespace) -> None:
    config = load_config(args.config, args.overrides, needs_data=False)
    recipe = recipe_of(config)
    if not (args.examples / ImageDataset.FILE).is_file():
        raise ConfigError(
            f"--examples: expected a folder of transformed examples with {ImageDataset.FILE}, "
            f"received {args.examples}. `imgpipe run --to ImageTransform` makes one, in "
            "workspace/pipeline/ImageTransform/transformed_examples/."
        )
    dataset = ImageDataset.read(str(args.examples))
    # Keras and its backend take seconds to import.
    from trainer.checkpoints import Checkpoint, training_key
    from trainer.devices import use_memory_as_needed
    from trainer.train import train

    use_memory_as_needed()
    checkpoint = Checkpoint.of(args.output / STATE_FOLDER, training_key(recipe, dataset))
    trained = train(recipe, dataset, checkpoint=checkpoint)
    if not trained.is_chief:
        return
    checkpoint.copy_weights(args.output, trained.best_epoch)
    partial = args.output / f".partial.{NETWORK_FILE}"
    trained.network.save(partial)
    partial.replace(args.output / NETWORK_FILE)
    TrainingRecord.of(trained, dataset.labels).write(str(args.output))
    print(f"Wrote {args.output / NETWORK_FILE}.")


if __name__ == "__main__":
    sys.exit(main())
