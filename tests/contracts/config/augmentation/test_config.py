"""The section `augmentation` comes to a policy that says everything; what is wrong is named."""

import math

import pytest

from contracts.config.augmentation.config import AugmentationConfig
from contracts.config.augmentation.operations import OPERATION_SECTIONS
from contracts.config.augmentation.policy import PRESETS, Policy, resolve_policy
from tests.contracts.conftest import GOOD, load


def policy(**section) -> Policy:
    return resolve_policy(AugmentationConfig.model_validate(section))


def names(of: Policy) -> list[str]:
    return [change.name for change in of.operations]


def test_the_presets_are_what_they_are_called():
    assert policy(preset="none").is_empty
    light = policy()
    assert [(one.name, one.probability, one.range) for one in light.operations] == [
        ("flip_horizontal", 0.5, None),
        ("translate", 1.0, (-0.1, 0.1)),
    ]
    assert (light.rand_augment, light.mixup, light.cutmix) == (None, 0.0, 0.0)
    assert set(names(light)) < set(names(policy(preset="medium")))
    paper = policy(preset="paper")
    assert (paper.mixup, paper.cutmix) == (0.8, 1.0)
    assert (paper.rand_augment.operations, paper.rand_augment.magnitude) == (2, 9)
    assert [one.probability for one in paper.operations if one.name == "random_erasing"] == [0.25]
    for preset in PRESETS:
        order = [name for name in OPERATION_SECTIONS if name in names(policy(preset=preset))]
        assert names(policy(preset=preset)) == order


def test_an_operation_changes_adds_to_or_leaves_the_preset():
    changed = policy(
        operations={
            "translate": {"range": [-0.2, 0.2], "except": ["a"]},
            "rotate": {},
            "flip_horizontal": None,
            "blur": {"probability": 0},
        }
    )
    assert names(changed) == ["rotate", "translate"]
    rotate, translate = changed.operations
    assert (rotate.probability, rotate.range, rotate.unit) == (0.5, (-15, 15), "degrees")
    assert (translate.probability, translate.range) == (1.0, (-0.2, 0.2))
    assert translate.exceptions == ("a",)


def test_what_is_taken_out_is_in_no_pool_either():
    given = {"rotate": None, "solarize": {"except": ["red"]}}
    pool = policy(preset="paper", operations=given).rand_augment.pool
    assert "rotate" not in [one.name for one in pool]
    assert {one.name: one.exceptions for one in pool}["solarize"] == ("red",)


def test_the_pool_of_rand_augment_is_the_papers():
    pool = policy(preset="paper").rand_augment.pool
    assert {one.name: one.range for one in pool} == {
        "rotate": (0, 30),
        "shear": (0, pytest.approx(math.degrees(math.atan(0.3)), abs=0.01)),
        "translate": (0, 0.3),
        **dict.fromkeys(("brightness", "contrast", "saturation", "sharpness"), (1, 1.9)),
        **dict.fromkeys(("auto_contrast", "equalize")),
        "posterize": (8, 4),
        "solarize": (256, 0),
    }


def test_the_papers_parts_can_be_switched_off():
    off = policy(preset="paper", mixup=0, cutmix=0.0, rand_augment={"operations": 0})
    assert (off.mixup, off.cutmix, off.rand_augment) == (0, 0, None)
    assert names(off) == ["flip_horizontal", "crop", "random_erasing"]


def test_section_and_policy_are_read_as_they_were_written():
    section = {"preset": "paper", "operations": {"rotate": {"except": ["a"]}, "crop": None}}
    config = AugmentationConfig.model_validate(section)
    again = AugmentationConfig.model_validate_json(config.model_dump_json())
    assert again == config
    assert config.model_dump(mode="json")["operations"] == section["operations"]
    assert resolve_policy(again) == resolve_policy(config)
    written = resolve_policy(config).model_dump_json()
    assert Policy.model_validate_json(written) == resolve_policy(config)
    assert '"except":["a"]' in written


@pytest.mark.parametrize("name", OPERATION_SECTIONS)
def test_every_operation_has_a_usual_strength_within_its_limits(write, name):
    section = OPERATION_SECTIONS[name]
    assert (section.USUAL_RANGE is None) == ("range" not in section.model_fields)
    if section.USUAL_RANGE:
        low, high = section.USUAL_RANGE
        assert section.UNIT
        config = load(write(GOOD), f"augmentation.operations.{name}.range=[{low}, {high}]")
        (change,) = [
            one for one in resolve_policy(config.augmentation).operations if one.name == name
        ]
        assert change.range == (low, high)


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ("operations.rotat={}", "operations.rotat: unknown key; did you mean `rotate`?"),
        (
            "operations.flip_horizontal.range=[0, 1]",
            "operations.flip_horizontal.range: unknown key; did you mean ",
        ),
        (
            "operations.rotate.probability=2",
            "operations.rotate.probability: expected a number from 0 to 1 or null, received 2.",
        ),
        (
            "operations.rotate.range=[-200, 0]",
            "operations.rotate.range[0]: expected a number from -180 to 180, received -200.",
        ),
        (
            "operations.rotate.range=[5]",
            "operations.rotate.range: expected a list of 2, each item a number from -180 to 180 "
            "or null, received [5].",
        ),
        (
            "operations.rotate.range=[5, -5]",
            "operations.rotate.range: expected [low, high] with low <= high, received [5",
        ),
        (
            "operations.rotate=3",
            "operations.rotate: expected the keys probability, except, range or null, received 3.",
        ),
        (
            "rand_augment={magnitude: 11}",
            "rand_augment.magnitude: expected a number from 0 to 10, received 11.",
        ),
        ("mixup=-1", "mixup: expected a number from 0 to 10 or null, received -1."),
        ("backend=torch", "backend: expected one of keras, albumentations, received 'torch'."),
        (
            "{preset: none, materialise: {min_examples: 5}}",
            "materialise.min_examples: expected operations to make copies with, received 5",
        ),
    ],
)
def test_what_is_wrong_is_named(problems, override, problem):
    setting = f"={override}" if override.startswith("{") else f".{override}"
    found = problems(GOOD, f"augmentation{setting}")
    assert len(found) == 1, found
    assert f": augmentation.{problem}" in found[0]
