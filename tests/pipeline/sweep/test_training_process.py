"""A training in another process gives the same result, and its death ends no other process."""

import logging
import sys

import pytest

from contracts.artifacts.image_dataset import ImageDataset
from contracts.config.augmentation.config import AugmentationConfig
from contracts.config.trainer.config import TrainerConfig, TrainingRecipe
from contracts.system.errors import ComponentError
from contracts.system.progress import LOGGER
from pipeline.sweep.training_process import train_in_process
from trainer.split_evaluation import evaluate_split
from trainer.training.train import train

MODELS = """
import os, signal

def killed(size_px, classes):
    os.kill(os.getpid(), signal.SIGKILL)

def broken(size_px, classes):
    raise ZeroDivisionError("by a user's model")
"""


def recipe(**trainer) -> TrainingRecipe:
    given = {"model_options": {"filters": [8]}, "epochs": 2, "batch_size": 16} | trainer
    return TrainingRecipe(
        trainer=TrainerConfig(**given), augmentation=AugmentationConfig(preset="light"), seed=3
    )


def test_it_gives_what_a_training_in_this_process_gives(dataset):
    reports = []
    handler = logging.Handler(logging.INFO)
    handler.emit = lambda record: reports.append(record.progress)
    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.INFO)
    try:
        first = train_in_process(recipe(), [dataset.uri], "validation")
    finally:
        LOGGER.removeHandler(handler)
    assert reports and {report.unit for report in reports} == {"steps"}
    second = train_in_process(recipe(), [dataset.uri], "validation")
    assert (first.accuracy, first.loss, first.history) == (
        second.accuracy,
        second.loss,
        second.history,
    )
    trained = train(recipe(), dataset)
    here = evaluate_split(trained.network, dataset, "validation", 16)
    assert first.accuracy == pytest.approx(here.accuracy)
    assert first.loss == pytest.approx(here.loss, rel=1e-4)
    assert here.loss == pytest.approx(trained.history["val_loss"][trained.best_epoch], rel=1e-3)
    accuracy = trained.history["val_accuracy"][trained.best_epoch]
    assert here.accuracy == pytest.approx(accuracy)


def test_it_trains_on_changed_copies_too(dataset, copies):
    apart = train_in_process(recipe(), [copies.uri, dataset.uri], "validation")
    united = ImageDataset.unite([copies.uri, dataset.uri])
    assert united.examples["train"] == dataset.examples["train"] + 16
    assert apart.history["loss"] == pytest.approx(train(recipe(), united).history["loss"], rel=1e-4)


@pytest.mark.parametrize(
    ("trainer", "said"),
    [
        ({"model": "apart_models:killed", "model_options": {}}, "killed by SIGKILL.*memory"),
        ({"model": "apart_models:broken", "model_options": {}}, "ZeroDivisionError: by a user"),
        ({"learning_rate": 1e30, "warmup_epochs": 0.0}, "NaN or infinite at step"),
    ],
)
def test_a_training_that_cannot_go_on_is_a_sentence(dataset, tmp_path, monkeypatch, trainer, said):
    (tmp_path / "apart_models.py").write_text(MODELS)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with pytest.raises(ComponentError, match=said):
        train_in_process(recipe(**trainer), [dataset.uri], "validation")
