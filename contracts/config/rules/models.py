"""Rules of each model for its options, its weights and the size of the images."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from contracts.config.key_paths import KeyPath
from contracts.config.loading.field_problems import field_problems, received
from contracts.config.pipeline_config import PipelineConfig
from contracts.config.rules.inconsistency import Inconsistency
from contracts.config.section import Section
from contracts.config.trainer.cnn_stages import cnn_stages, sides
from contracts.config.trainer.config import IMAGENET
from contracts.config.trainer.keras_applications import SMALLEST_PX
from contracts.config.trainer.model_options import (
    CONVNEXT_V1,
    IMAGENET_STEM_PX,
    MODEL_OPTIONS,
    OWN_MODELS,
    WITH_IMAGENET_WEIGHTS,
    CnnOptions,
    ConvNeXtOptions,
    ConvNeXtV2Options,
)
from contracts.system.errors import did_you_mean

# Stages of every variant of ConvNeXt, unless its options set others.
CONVNEXT_STAGES: Final = 4

MODEL: Final[KeyPath] = ("trainer", "model")
OPTIONS: Final[KeyPath] = ("trainer", "model_options")
WEIGHTS: Final[KeyPath] = ("trainer", "weights")
IMAGE_SIZE: Final[KeyPath] = ("preprocessing", "image_size_px")


def model_inconsistencies(config: PipelineConfig) -> Iterator[Inconsistency]:
    """Yield what is wrong with the model, its options and its weights."""
    trainer = config.trainer
    if trainer.weights == IMAGENET and trainer.model not in WITH_IMAGENET_WEIGHTS:
        yield Inconsistency(
            WEIGHTS,
            f"expected null or a file, since there are no ImageNet weights of {trainer.model}, "
            f"received {IMAGENET}. There are for {', '.join(CONVNEXT_V1)} and for the models of "
            "keras.applications.",
            (MODEL,),
        )
    if trainer.model not in MODEL_OPTIONS:
        if trainer.users_model() is None:
            yield _unknown_model(trainer.model)
        return
    wrong = field_problems(MODEL_OPTIONS[trainer.model], trainer.model_options, OPTIONS)
    for problem in wrong:
        yield Inconsistency(problem.path, problem.sentence, (MODEL,))
    if wrong:
        return
    size_px, options = config.preprocessing.image_size_px, trainer.options()
    yield from _smallest_size(trainer.model, size_px)
    if trainer.weights == IMAGENET and isinstance(options, ConvNeXtOptions):
        yield from _convnext_weights(options)
    for section, check in _OPTION_CHECKS.items():
        if isinstance(options, section):
            yield from check(options, size_px)


def _unknown_model(model: str) -> Inconsistency:
    hint = did_you_mean(model, list(MODEL_OPTIONS))
    return Inconsistency(
        MODEL,
        f"expected one of {', '.join(OWN_MODELS)}, a model of keras.applications such as "
        f"ResNet50, `module:function` or `file.py:function`, received {received(model)}"
        f"{'; ' + hint if hint else '.'}",
    )


def _smallest_size(model: str, size_px: int) -> Iterator[Inconsistency]:
    smallest_px = SMALLEST_PX.get(model, 0)
    if size_px < smallest_px:
        yield Inconsistency(
            IMAGE_SIZE,
            f"expected an integer >= {smallest_px}, the least that {model} takes, received "
            f"{size_px}. Enlarge the images, or take another trainer.model.",
            (MODEL,),
        )


def _cnn(options: CnnOptions, size_px: int) -> Iterator[Inconsistency]:
    lengths = {key: len(entries) for key, entries in options.per_stage().items()}
    first = next(iter(lengths), "filters")
    for key, length in lengths.items():
        if length != lengths[first]:
            yield Inconsistency(
                (*OPTIONS, key),
                f"expected one value, or a list of {lengths[first]}, one a stage as in "
                f"{first}, received {length}.",
                (MODEL,),
            )
    if len(set(lengths.values())) > 1:
        return
    stages = cnn_stages(options, size_px)
    behind = sides(stages, size_px)
    gone = next((stage for stage, side_px in enumerate(behind) if side_px < 1), None)
    if gone is not None:
        before_px = behind[gone - 1] if gone else size_px
        yield Inconsistency(
            (*OPTIONS, first),
            f"expected stages that leave 1 pixel and more of preprocessing.image_size_px "
            f"({size_px}), received {len(stages)}, of which number {gone + 1} takes the last "
            f"{before_px} a side. Remove stages, lower their stride, or enlarge the images.",
            (MODEL, IMAGE_SIZE),
        )


def _convnext(options: ConvNeXtV2Options, size_px: int) -> Iterator[Inconsistency]:
    depths, widths = _stages(options.depths), _stages(options.widths)
    if depths != widths:
        yield Inconsistency(
            (*OPTIONS, "depths" if options.depths else "widths"),
            f"expected depths and widths of the same length, received {depths} and {widths} "
            f"stages (null: {CONVNEXT_STAGES}).",
            (MODEL,),
        )
    patch_px = options.stem_patch_px or 1
    reduction = patch_px * 2 ** (depths - 1)
    if reduction > size_px:
        yield Inconsistency(
            (*OPTIONS, "stem_patch_px" if options.stem_patch_px else "depths"),
            f"expected a stem and stages that shrink preprocessing.image_size_px ({size_px}) by "
            f"no more than itself, received a stem of {patch_px} px and {depths} stages, which "
            f"shrink it {reduction} times. Enlarge the images, or take a smaller stem.",
            (MODEL, IMAGE_SIZE),
        )


def _convnext_weights(options: ConvNeXtOptions) -> Iterator[Inconsistency]:
    fitting = {"depths": None, "widths": None, "stem_patch_px": IMAGENET_STEM_PX}
    for key, value in fitting.items():
        given = getattr(options, key)
        if given not in (None, value):
            yield Inconsistency(
                (*OPTIONS, key),
                f"expected {value or 'null'}, as the ImageNet weights of trainer.weights were "
                f"trained with, received {received(given)}.",
                (MODEL, WEIGHTS),
            )


def _stages(sizes: Sequence[int] | None) -> int:
    return len(sizes) if sizes else CONVNEXT_STAGES


_OPTION_CHECKS: Final[dict[type[Section], Callable[..., Iterator[Inconsistency]]]] = {
    CnnOptions: _cnn,
    ConvNeXtV2Options: _convnext,
}
