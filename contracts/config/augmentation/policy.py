"""The policy that follows from an `augmentation` section: plain data, every value set."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Final

from pydantic import ConfigDict, Field

from contracts.config.augmentation.config import AugmentationConfig, Preset, RandAugmentConfig
from contracts.config.augmentation.operation import Operation, StrengthRange
from contracts.config.augmentation.operations import OPERATION_SECTIONS
from contracts.config.class_names import exceptions_key, unknown_classes
from contracts.config.section import Section
from contracts.system.errors import ComponentError

POLICY_FILE: Final = "policy.json"


class PolicyOperation(Section):
    """One random operation: its strength is drawn uniformly from the range, for each image."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    name: str
    probability: float
    range: Annotated[StrengthRange | None, Field(strict=False)] = None
    unit: str = ""
    exceptions: Annotated[tuple[str, ...], Field(strict=False, alias="except")] = ()


class RandAugmentPolicy(Section):
    """`operations` of the pool for each image, all at about the same magnitude.

    The range of an operation in the pool holds the strengths of magnitude 0 and of magnitude 10,
    the higher one first where less is stronger; the strength goes to either side where the
    operation has two.
    """

    operations: int
    magnitude: float
    deviation: float
    pool: Annotated[tuple[PolicyOperation, ...], Field(strict=False)]


class Policy(Section):
    """What happens to a training batch, in order: operations, RandAugment's, erasing, mixing."""

    operations: Annotated[tuple[PolicyOperation, ...], Field(strict=False)] = ()
    rand_augment: RandAugmentPolicy | None = None
    mixup: float = 0.0
    cutmix: float = 0.0

    @property
    def changes_images(self) -> bool:
        """Whether it changes single images, apart from mixing."""
        return bool(self.operations or self.rand_augment)

    @property
    def is_empty(self) -> bool:
        """Whether it does nothing at all."""
        return not (self.changes_images or self.mixup or self.cutmix)

    def without_mixing(self) -> "Policy":
        """Return the policy whose images keep their own labels."""
        return self.model_copy(update={"mixup": 0.0, "cutmix": 0.0})

    def require_known_exceptions(self, labels: Sequence[str]) -> None:
        """Refuse exceptions for classes that the data does not have.

        Raises:
          ComponentError: a sentence for each of them.
        """
        pool = self.rand_augment.pool if self.rand_augment else ()
        spared: dict[str, set[str]] = {}
        for operation in (*self.operations, *pool):
            spared.setdefault(operation.name, set()).update(operation.exceptions)
        unknown = [
            sentence
            for name, classes in spared.items()
            for sentence in unknown_classes(exceptions_key(name), classes, labels)
        ]
        if unknown:
            raise ComponentError(unknown)


_COLOURS: Final[dict[str, StrengthRange]] = {
    "brightness": (0.8, 1.2),
    "contrast": (0.8, 1.2),
    "saturation": (0.8, 1.2),
}
_STRONG_COLOURS: Final[dict[str, StrengthRange]] = {
    "brightness": (0.6, 1.4),
    "contrast": (0.6, 1.4),
    "saturation": (0.5, 1.5),
    "hue": (-0.05, 0.05),
}


def _operations(**given: tuple[float, StrengthRange | None]) -> dict[str, PolicyOperation]:
    return {name: _operation(name, *values) for name, values in given.items()}


def _operation(
    name: str, probability: float, strengths: StrengthRange | None, exceptions: Iterable[str] = ()
) -> PolicyOperation:
    return PolicyOperation(
        name=name,
        probability=probability,
        range=strengths,
        unit=OPERATION_SECTIONS[name].UNIT,
        exceptions=tuple(exceptions),
    )


# light: every image is mirrored or not, and moved by up to a tenth of its side with the border
# reflected (the padded crop of He et al., 2015, arXiv:1512.03385, 4.2).
# paper: ConvNeXt's (Liu et al., 2022, arXiv:2201.03545, table 5), with RandAugment, mixup, cutmix.
PRESETS: Final[dict[Preset, dict[str, PolicyOperation]]] = {
    "none": {},
    "light": _operations(flip_horizontal=(0.5, None), translate=(1.0, (-0.1, 0.1))),
    "medium": _operations(
        flip_horizontal=(0.5, None),
        zoom=(0.5, (0.85, 1.15)),
        rotate=(0.5, (-15.0, 15.0)),
        translate=(1.0, (-0.1, 0.1)),
        **{name: (0.5, of) for name, of in _COLOURS.items()},
    ),
    "strong": _operations(
        flip_horizontal=(0.5, None),
        crop=(1.0, (0.35, 1.0)),
        rotate=(0.5, (-20.0, 20.0)),
        **{name: (0.8, of) for name, of in _STRONG_COLOURS.items()},
        blur=(0.1, (0.002, 0.015)),
        noise=(0.1, (0.0, 0.05)),
        jpeg_compression=(0.1, (40.0, 95.0)),
        random_erasing=(0.25, (0.02, 0.2)),
    ),
    "paper": _operations(
        flip_horizontal=(0.5, None),
        crop=(1.0, (0.08, 1.0)),
        random_erasing=(0.25, (0.02, 0.33)),
    ),
}
_PRESET_RAND_AUGMENT: Final[dict[Preset, RandAugmentConfig]] = {"paper": RandAugmentConfig()}
_PRESET_MIXUP: Final[dict[Preset, float]] = {"paper": 0.8}
_PRESET_CUTMIX: Final[dict[Preset, float]] = {"paper": 1.0}

# The operations of the paper (Cubuk et al., 2020, arXiv:1909.13719) but for the one that does
# nothing, and their strengths at the magnitudes 0 and 10; None where there is nothing to draw.
# A shear of 16.7 degrees moves each row by 0.3 pixels. Posterize and solarize grow stronger with
# the magnitude, as in ConvNeXt's recipe.
RAND_AUGMENT_POOL: Final[dict[str, StrengthRange | None]] = {
    "rotate": (0.0, 30.0),
    "shear": (0.0, 16.7),
    "translate": (0.0, 0.3),
    "brightness": (1.0, 1.9),
    "contrast": (1.0, 1.9),
    "saturation": (1.0, 1.9),
    "auto_contrast": None,
    "equalize": None,
    "posterize": (8.0, 4.0),
    "solarize": (256.0, 0.0),
    "sharpness": (1.0, 1.9),
}


def resolve_policy(config: AugmentationConfig) -> Policy:
    """Return the policy of a section: the preset with the changes that the section makes.

    An operation that the section takes out with null is in no pool of RandAugment either, and the
    exceptions of an operation hold there too.
    """
    preset, given = PRESETS[config.preset], config.operations.given()
    operations = []
    for name in OPERATION_SECTIONS:
        own, usual = given.get(name), preset.get(name)
        if own is not None:
            operations.append(_merged(name, own, usual))
        elif usual is not None and name not in given:
            operations.append(usual)
    rand_augment = config.rand_augment or _PRESET_RAND_AUGMENT.get(config.preset)
    mixup, cutmix = config.mixup, config.cutmix
    return Policy(
        operations=tuple(operation for operation in operations if operation.probability > 0),
        rand_augment=_rand_augment(rand_augment, given) if rand_augment else None,
        mixup=_PRESET_MIXUP.get(config.preset, 0.0) if mixup is None else mixup,
        cutmix=_PRESET_CUTMIX.get(config.preset, 0.0) if cutmix is None else cutmix,
    )


def _merged(name: str, own: Operation, usual: PolicyOperation | None) -> PolicyOperation:
    """Return an operation with the values that are set, else the preset's, else its own."""
    usual = usual or _operation(name, own.USUAL_PROBABILITY, own.USUAL_RANGE)
    probability = usual.probability if own.probability is None else own.probability
    return _operation(name, probability, own.given_range() or usual.range, own.exceptions)


def _rand_augment(
    config: RandAugmentConfig, given: dict[str, Operation | None]
) -> RandAugmentPolicy | None:
    pool = []
    for name, reach in RAND_AUGMENT_POOL.items():
        own = given.get(name)
        if own is not None or name not in given:
            pool.append(_operation(name, 1.0, reach, own.exceptions if own else ()))
    count = min(config.operations, len(pool))
    if not count:
        return None
    return RandAugmentPolicy(
        operations=count,
        magnitude=config.magnitude,
        deviation=config.deviation,
        pool=tuple(pool),
    )
