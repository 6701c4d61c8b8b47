"""One training in a process of its own: nothing of it stays for the next one.

The processes are forks of one that has imported the trainer and done nothing else, so that the
seconds of importing are spent once. A process that dies ends no other one.
"""

import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path

from contracts.config.trainer.config import TrainingRecipe
from contracts.system.errors import ComponentError, in_one_line
from contracts.system.progress import LOGGER, ComponentProgress, report_progress

# The first module makes Python find our packages before others of the same name.
PRELOADED = ("imgpipe", "trainer.training.train", "trainer.split_evaluation")
ENDS_WITHIN_S = 5.0


@dataclass(frozen=True)
class TrainingResult:
    """The results of a training."""

    accuracy: float
    loss: float
    best_epoch: int  # from 0
    history: dict[str, list[float]]
    seconds: float


def train_in_process(
    recipe: TrainingRecipe, dataset_uris: Sequence[str], split: str
) -> TrainingResult:
    """Train a recipe in another process, log its progress, and evaluate it on the split.

    Raises:
      ComponentError: the training failed, or its process died.
    """
    _start_forkserver()
    context = multiprocessing.get_context("forkserver")
    answers, theirs = context.Pipe(duplex=False)
    process = context.Process(
        target=_train, args=(theirs, recipe.model_dump_json(), dataset_uris, split), daemon=True
    )
    process.start()
    theirs.close()
    try:
        while True:
            answer: ComponentProgress | str | TrainingResult = answers.recv()
            if isinstance(answer, TrainingResult):
                return answer
            if isinstance(answer, str):
                raise ComponentError(answer)
            report_progress(answer.done, answer.total, answer.unit, answer.detail)
    except EOFError as error:
        process.join()
        raise ComponentError(_death(process.exitcode)) from error
    finally:
        process.join(ENDS_WITHIN_S)
        if process.is_alive():
            process.kill()
            process.join()
        answers.close()


def _start_forkserver() -> None:
    """Start the process that the others are forks of, if it does not run yet.

    It looks for modules in the working directory first, where a trainer.py of the user's may lie:
    it is started in the root of the disk. Its forks come back to the working directory.
    """
    forkserver.set_forkserver_preload(list(PRELOADED))
    here = Path.cwd()
    os.chdir(os.sep)
    try:
        forkserver.ensure_running()
    finally:
        os.chdir(here)


def _death(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        name = signal.Signals(-exit_code).name
        why = ", as it is where memory runs out" if name == "SIGKILL" else ""
        return f"its process was killed by {name}{why}."
    return f"its process ended with exit code {exit_code}."


class _Forward(logging.Handler):
    """Sends progress reports to the parent."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(logging.INFO)
        self._connection = connection

    def emit(self, record: logging.LogRecord) -> None:
        progress = getattr(record, "progress", None)
        if progress is not None:
            self._connection.send(progress)


def _train(answers: Connection, recipe_json: str, dataset_uris: Sequence[str], split: str) -> None:
    """Train in this process, which does nothing else, and send the result."""
    from contracts.artifacts.image_dataset import ImageDataset
    from trainer.keras_settings import prepare_keras
    from trainer.split_evaluation import evaluate_split
    from trainer.training.train import train

    LOGGER.addHandler(_Forward(answers))
    LOGGER.setLevel(logging.INFO)
    recipe = TrainingRecipe.model_validate_json(recipe_json)
    dataset = ImageDataset.unite(dataset_uris)
    began_s = time.monotonic()
    try:
        prepare_keras()
        trained = train(recipe, dataset)
        judged = evaluate_split(trained.network, dataset, split, trained.batch_size)
    except Exception as error:
        logging.getLogger(__name__).exception("the training failed")
        answers.send(in_one_line(error))
        return
    seconds = time.monotonic() - began_s
    answers.send(
        TrainingResult(judged.accuracy, judged.loss, trained.best_epoch, trained.history, seconds)
    )
