"""Training without TFX: on a machine with nothing but Keras and a backend, or on several.

`imgpipe-train --config pipeline.yaml --examples FOLDER --output FOLDER` trains what the config says
on the transformed examples of a run (`imgpipe run --to ImageTransform`), and on the Augmenter's
copies in a second folder where the config has some made. Started again after an interruption it
goes on from the last checkpoint. With KERAS_BACKEND=jax it needs no TensorFlow; with TF_CONFIG it
is one of several machines that share the output folder.
"""

import argparse
import logging
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

# `python -m` puts the working directory first, and a contracts.py of the user's may lie there.
import imgpipe  # noqa: F401
from contracts.config.loading.loader import load_config
from contracts.environment.keras_environment import ALL_BACKENDS, require_keras
from contracts.environment.library_settings import set_library_variables
from contracts.system.closed_pipe import silent_without_reader
from contracts.system.errors import InputError, PipelineError
from contracts.system.progress import LOGGER, ProgressLineFilter

if TYPE_CHECKING:
    from trainer.tracking import Tracking
    from trainer.training.train import TrainedModel

    TextHandler = logging.StreamHandler[TextIO]
else:
    TextHandler = logging.StreamHandler  # no type takes parameters before Python 3.11

PROG = "imgpipe-train"
NETWORK_FILE = "network.keras"

EXIT_FAILED = 1
EXIT_WRONG_INPUT = 2
EXIT_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Train and return the exit code: 0 done, 1 failed, 2 wrong config or call, 130 interrupted."""
    parser = argparse.ArgumentParser(prog=PROG, description=__doc__.split("\n")[0])
    parser.add_argument("--config", type=Path, default=Path("pipeline.yaml"), metavar="FILE")
    parser.add_argument(
        "--set", dest="overrides", action="append", default=[], metavar="SECTION.KEY=VALUE"
    )
    parser.add_argument(
        "--examples",
        type=Path,
        nargs="+",
        action="extend",
        required=True,
        metavar="DIR",
        help="transformed examples of a run, and the Augmenter's copies, if there are any",
    )
    parser.add_argument(
        "--output",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder for the outputs of the training",
    )
    args = parser.parse_args(argv)
    return silent_without_reader(lambda: _in_sentences(args))


def _in_sentences(args: argparse.Namespace) -> int:
    """Train; turn errors into sentences on standard error."""
    _print_now_and_then()
    _leave_out_noise()
    try:
        _train(args)
    except PipelineError as error:
        for problem in error.problems:
            print(f"{PROG}: {problem}", file=sys.stderr)
        return EXIT_WRONG_INPUT if isinstance(error, InputError) else EXIT_FAILED
    except KeyboardInterrupt:
        print(
            f"{PROG}: interrupted; started again it goes on from its last checkpoint.",
            file=sys.stderr,
        )
        return EXIT_INTERRUPTED
    return 0


def _print_now_and_then() -> None:
    """Print what is logged; of progress a line every ten seconds."""
    handler = _Printing(sys.stdout)
    handler.addFilter(ProgressLineFilter())
    logging.basicConfig(format="%(message)s", handlers=[handler])
    for own in (LOGGER, logging.getLogger("trainer")):
        own.setLevel(logging.INFO)


class _Printing(TextHandler):
    """Prints log records; raises an error of printing, such as a closed pipe."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Raise the error that is being handled."""
        error = sys.exc_info()[1]
        if error is not None:
            raise error


def _leave_out_noise() -> None:
    """Hide what libraries print as they start; their errors are raised."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"google\.")


def _train(args: argparse.Namespace) -> None:
    config = load_config(args.config, args.overrides, needs_data=False)
    set_library_variables()
    require_keras(*ALL_BACKENDS)
    # Keras and its backend take seconds to import.
    from trainer.keras_settings import prepare_keras
    from trainer.standalone import AvailableOutputs, given_dataset, training_job
    from trainer.training.workflow import run_training_job

    dataset = given_dataset(args.examples, config)
    prepare_keras()
    outputs = AvailableOutputs.of(config.tracking)
    job = training_job(config, dataset, args.output, outputs)
    if job.devices.is_chief:
        print(f"Left out: {'; '.join(outputs.left_out)}.", flush=True)

    def write(trained: "TrainedModel", _: "Tracking") -> None:
        job.checkpoint.copy_weights(args.output, trained.best_epoch)
        partial = args.output / f".partial.{NETWORK_FILE}"
        trained.network.save(partial)
        partial.replace(args.output / NETWORK_FILE)

    record = run_training_job(job, write)
    if record is None:
        return
    for one in record.tracked:
        print(f"{one.tracker}: {one.place}{f'; {one.trouble}' if one.trouble else ''}")
    print(f"Wrote {args.output / NETWORK_FILE}.")


if __name__ == "__main__":
    sys.exit(main())
