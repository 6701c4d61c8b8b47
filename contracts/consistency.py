"""What the keys of a config demand of one another and of the disk."""

import re
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from contracts.config import PipelineConfig
from contracts.config_schema import USERS_MODEL_PATTERN
from contracts.field_problems import Problem, did_you_mean, field_problems, received
from contracts.model_options import MODEL_OPTIONS, CnnOptions, ConvNeXtOptions
from contracts.remote_path import RemotePath
from contracts.search_space import DEPENDS_ON, space_problems
from contracts.yaml_marks import KeyPath

# Every variant of ConvNeXt has as many, unless its options say otherwise.
CONVNEXT_STAGES: Final = 4

MODEL: Final[KeyPath] = ("trainer", "model")
MODEL_OPTIONS_KEY: Final[KeyPath] = ("trainer", "model_options")
IMAGE_SIZE: Final[KeyPath] = ("preprocessing", "image_size_px")
EPOCHS: Final[KeyPath] = ("trainer", "epochs")


@dataclass(frozen=True)
class Inconsistency(Problem):
    """A problem that is none while one of the keys `with_keys` is itself wrong."""

    with_keys: tuple[KeyPath, ...] = ()


def inconsistencies(config: PipelineConfig, *, needs_data: bool) -> Iterator[Inconsistency]:
    """Yield all that keeps a config from working though every value by itself is right."""
    if needs_data:
        yield from _paths(config)
    yield from _model(config)
    trainer = config.trainer
    if trainer.warmup_epochs >= trainer.epochs:
        yield Inconsistency(
            ("trainer", "warmup_epochs"),
            f"expected less than trainer.epochs ({trainer.epochs}), received "
            f"{received(trainer.warmup_epochs)}. Lower it too, 0 for no warm-up.",
            (EPOCHS,),
        )
    for problem in space_problems(config, partial(inconsistencies, needs_data=False)):
        yield Inconsistency(problem.path, problem.sentence, DEPENDS_ON)


def _paths(config: PipelineConfig) -> Iterator[Inconsistency]:
    data = config.data
    if isinstance(data.root, RemotePath):  # asked when it is listed
        root_mode, trouble = 0 if data.root.suffix.lower() == ".csv" else stat.S_IFDIR, ""
    else:
        root_mode, trouble = _mode(data.root)
    if trouble:
        yield Inconsistency(
            ("data", "root"),
            f"expected an image folder or a CSV file, received {data.root}, which {trouble}.",
        )
    if data.schema_path:
        schema_mode, trouble = _mode(data.schema_path)
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


def _mode(path: Path) -> tuple[int, str]:
    """Return what kind of thing is at `path`, or 0 and what is wrong with the path."""
    try:
        return path.stat().st_mode, ""
    except (FileNotFoundError, NotADirectoryError):
        return 0, "does not exist"
    except (OSError, ValueError) as error:  # ValueError: a path with a null character
        return 0, f"cannot be reached ({getattr(error, 'strerror', error)})"


def _model(config: PipelineConfig) -> Iterator[Inconsistency]:
    model, given = config.trainer.model, config.trainer.model_options
    if model not in MODEL_OPTIONS:
        if not re.search(USERS_MODEL_PATTERN, model):
            known = list(MODEL_OPTIONS)
            hint = did_you_mean(model, known)
            yield Inconsistency(
                MODEL,
                f"expected one of {', '.join(known)} or `module:function`, "
                f"received {received(model)}{'; ' + hint if hint else '.'}",
            )
        return
    wrong = field_problems(MODEL_OPTIONS[model], given, MODEL_OPTIONS_KEY)
    for problem in wrong:
        yield Inconsistency(problem.path, problem.sentence, (MODEL,))
    if not wrong:
        options = config.trainer.options()
        size_px = config.preprocessing.image_size_px
        for section, check in _OPTION_CHECKS.items():
            if isinstance(options, section):
                yield from check(options, size_px)


def _cnn(options: CnnOptions, size_px: int) -> Iterator[Inconsistency]:
    most = size_px.bit_length() - 1
    if options.filters is not None and len(options.filters) > most:
        yield Inconsistency(
            (*MODEL_OPTIONS_KEY, "filters"),
            f"expected at most {most} stages, since each halves preprocessing.image_size_px "
            f"({size_px}), received {len(options.filters)}. Remove stages or enlarge the images.",
            (MODEL, IMAGE_SIZE),
        )


def _convnext(options: ConvNeXtOptions, size_px: int) -> Iterator[Inconsistency]:
    depths, widths = _stages(options.depths), _stages(options.widths)
    if depths != widths:
        yield Inconsistency(
            (*MODEL_OPTIONS_KEY, "depths" if options.depths else "widths"),
            f"expected depths and widths of the same length, received {depths} and {widths} "
            f"stages (null: {CONVNEXT_STAGES}).",
            (MODEL,),
        )
    patch_px = options.stem_patch_px or 1
    reduction = patch_px * 2 ** (depths - 1)
    if reduction > size_px:
        yield Inconsistency(
            (*MODEL_OPTIONS_KEY, "stem_patch_px" if options.stem_patch_px else "depths"),
            f"expected a stem and stages that shrink preprocessing.image_size_px ({size_px}) by "
            f"no more than itself, received a stem of {patch_px} px and {depths} stages, which "
            f"shrink it {reduction} times. Enlarge the images, or take a smaller stem.",
            (MODEL, IMAGE_SIZE),
        )


def _stages(sizes: Sequence[int] | None) -> int:
    return len(sizes) if sizes else CONVNEXT_STAGES


_OPTION_CHECKS: Final[dict[type, Callable[..., Iterator[Inconsistency]]]] = {
    CnnOptions: _cnn,
    ConvNeXtOptions: _convnext,
}
