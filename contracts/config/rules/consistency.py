"""Rules between the keys of a config, and between keys and files on the disk."""

import re
import stat
from collections.abc import Iterator
from functools import partial
from typing import Final

from contracts.config.augmentation.policy import resolve_policy
from contracts.config.key_paths import KeyPath
from contracts.config.loading.field_problems import received
from contracts.config.mlflow_uri import sqlite_file, uri_trouble
from contracts.config.pipeline_config import PipelineConfig
from contracts.config.rules.inconsistency import Inconsistency, file_mode
from contracts.config.rules.models import model_inconsistencies
from contracts.config.rules.named_files import (
    code_inconsistencies,
    image_inconsistencies,
    weights_inconsistencies,
)
from contracts.config.rules.search_space import DEPENDS_ON, space_problems
from contracts.config.trainer.config import BUILT_IN_LOSSES, TrainerConfig
from contracts.system.storage.remote_path import RemotePath

EPOCHS: Final[KeyPath] = ("trainer", "epochs")
FROZEN_EPOCHS: Final[KeyPath] = ("trainer", "fine_tuning", "frozen_epochs")

# Callbacks of the user's own are checked when they are made.
PLATEAU_CALLBACK: Final = "keras.callbacks:ReduceLROnPlateau"
# Values of trainer.devices. What auto stands for is known when the Trainer runs.
SEVERAL_DEVICES: Final = ("mirrored", "multi_worker")

PASSWORD_IN_ADDRESS: Final = re.compile(r"://[^/@\s]*:[^/@\s]+@")


def inconsistencies(config: PipelineConfig, *, needs_data: bool) -> Iterator[Inconsistency]:
    """Yield what is wrong between keys, or keys and files, where each value alone is right."""
    trainer = config.trainer
    if needs_data:
        yield from _paths(config)
        yield from code_inconsistencies(trainer)
        yield from weights_inconsistencies(trainer)
        yield from image_inconsistencies(config.explanation)
    yield from _value_range(config.data.value_range)
    yield from model_inconsistencies(config)
    yield from _augmentation(config)
    yield from _tracking(config, needs_data=needs_data)
    yield from _phases(trainer)
    yield from _optimisation(trainer)
    for problem in space_problems(config, partial(inconsistencies, needs_data=needs_data)):
        yield Inconsistency(problem.path, problem.sentence, DEPENDS_ON)


def _value_range(values: tuple[float, float] | None) -> Iterator[Inconsistency]:
    if values is not None and values[0] >= values[1]:
        yield Inconsistency(
            ("data", "value_range"),
            "expected the value of black and a larger one of white, such as [0, 4095], received "
            f"{received(list(values))}. Correct it, or set null.",
        )


def _phases(trainer: TrainerConfig) -> Iterator[Inconsistency]:
    """Yield what is wrong with the epochs and the learning rates of the phases."""
    tuning = trainer.fine_tuning
    if tuning.frozen_epochs >= trainer.epochs:
        yield Inconsistency(
            FROZEN_EPOCHS,
            f"expected less than trainer.epochs ({trainer.epochs}), received "
            f"{tuning.frozen_epochs}. Lower it too, 0 for no such phase.",
            (EPOCHS,),
        )
    else:
        yield from _warmup(trainer)
    if tuning.learning_rate and not tuning.frozen_epochs:
        yield Inconsistency(
            ("trainer", "fine_tuning", "learning_rate"),
            f"expected null without a phase of frozen layers (frozen_epochs: 0), received "
            f"{received(tuning.learning_rate)}. Set trainer.learning_rate.",
            (FROZEN_EPOCHS,),
        )


def _optimisation(trainer: TrainerConfig) -> Iterator[Inconsistency]:
    """Yield what is wrong between callbacks, loss, devices and the balance of classes."""
    if PLATEAU_CALLBACK in trainer.callbacks and not trainer.is_rate_settable:
        yield Inconsistency(
            ("trainer", "callbacks", trainer.callbacks.index(PLATEAU_CALLBACK)),
            trainer.scheduled_rate_problem([PLATEAU_CALLBACK]),
            (("trainer", "schedule"), ("trainer", "warmup_epochs")),
        )
    if trainer.label_smoothing and trainer.loss not in BUILT_IN_LOSSES:
        yield Inconsistency(
            ("trainer", "label_smoothing"),
            f"expected 0 with a loss of your own ({trainer.loss}), which smooths for itself, "
            f"received {received(trainer.label_smoothing)}. Remove one of them.",
            (("trainer", "loss"),),
        )
    if trainer.devices in SEVERAL_DEVICES and trainer.gradient_accumulation_steps > 1:
        yield Inconsistency(
            ("trainer", "gradient_accumulation_steps"),
            f"expected 1 with trainer.devices: {trainer.devices}, where Keras cannot accumulate, "
            f"received {trainer.gradient_accumulation_steps}. Take a larger trainer.batch_size, or "
            "one device.",
            (("trainer", "devices"),),
        )
    if trainer.class_weights != "none" and trainer.sampling == "balanced":
        yield Inconsistency(
            ("trainer", "class_weights"),
            f"expected none with trainer.sampling balanced, since both make up for rare classes, "
            f"received {received(trainer.class_weights)}. Remove one of them.",
            (("trainer", "sampling"),),
        )


def _warmup(trainer: TrainerConfig) -> Iterator[Inconsistency]:
    """Compare the warm-up with the shortest phase: each phase has its own schedule."""
    phases = trainer.phase_epochs()
    if trainer.warmup_epochs is None or trainer.warmup_epochs < min(phases):
        return
    if len(phases) == 1:
        limit = f"trainer.epochs ({trainer.epochs})"
    elif phases[0] <= phases[1]:
        limit = f"trainer.fine_tuning.frozen_epochs ({phases[0]}), the first phase's"
    else:
        limit = f"{phases[1]}, the second phase's (trainer.epochs less fine_tuning.frozen_epochs)"
    yield Inconsistency(
        ("trainer", "warmup_epochs"),
        f"expected less than {limit}, received {received(trainer.warmup_epochs)}. "
        "Lower it too, 0 for no warm-up.",
        (EPOCHS, FROZEN_EPOCHS),
    )


def _augmentation(config: PipelineConfig) -> Iterator[Inconsistency]:
    for name, operation in config.augmentation.operations.given().items():
        low_and_high = operation.given_range() if operation else None
        if low_and_high and low_and_high[0] > low_and_high[1]:
            yield Inconsistency(
                ("augmentation", "operations", name, "range"),
                f"expected [low, high] with low <= high, received {received(low_and_high)}. "
                "Swap them.",
            )
    policy = resolve_policy(config.augmentation)
    least = config.augmentation.materialise.min_examples
    if least and not policy.changes_images:
        yield Inconsistency(
            ("augmentation", "materialise", "min_examples"),
            f"expected operations to make copies with, received {least} and none. "
            "Name some in augmentation.operations, or take another preset; 0 makes no copies.",
            (("augmentation", "preset"), ("augmentation", "operations")),
        )


def _paths(config: PipelineConfig) -> Iterator[Inconsistency]:
    data = config.data
    if isinstance(data.root, RemotePath):  # asked when it is listed
        root_mode, trouble = 0 if data.root.suffix.lower() == ".csv" else stat.S_IFDIR, ""
    else:
        root_mode, trouble = file_mode(data.root)
    if trouble:
        yield Inconsistency(
            ("data", "root"),
            f"expected an image folder or a CSV file, received {data.root}, which {trouble}.",
        )
    if data.schema_path:
        schema_mode, trouble = file_mode(data.schema_path)
        if not stat.S_ISREG(schema_mode):
            yield Inconsistency(
                ("data", "schema"),
                f"expected a schema file (.pbtxt), received {data.schema_path}, "
                f"which {trouble or 'is no file'}. null has the schema inferred.",
            )
    if data.group_by is not None and stat.S_ISDIR(root_mode):
        try:
            re.compile(data.group_by)
        except re.error as error:
            yield Inconsistency(
                ("data", "group_by"),
                f"expected a regular expression on the path, received "
                f"{received(data.group_by)} ({error}).",
                (("data", "root"),),
            )


def _tracking(config: PipelineConfig, *, needs_data: bool) -> Iterator[Inconsistency]:
    """Refuse an address that MLflow cannot use, and a password: it would stand in the metadata."""
    key: KeyPath = ("tracking", "mlflow", "uri")
    uri = config.tracking.mlflow.uri
    if uri is None:
        return
    if PASSWORD_IN_ADDRESS.search(uri):
        yield Inconsistency(
            key,
            "expected an address without a password, received one with it. Put it into the "
            "environment: MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD; a database has "
            "a password file of its own.",
        )
        return
    trouble = uri_trouble(uri)
    file = sqlite_file(uri)
    if not trouble and needs_data and file is not None and not file.parent.is_dir():
        trouble = (
            f"expected a SQLite file in a folder that there is, received {uri!r}, and there is no "
            f"folder {file.parent}. Make it, or name another."
        )
    if trouble:
        yield Inconsistency(key, trouble)
