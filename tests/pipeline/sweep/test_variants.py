"""The variants that a sweep compares, and those that it refuses."""

from pathlib import Path

import pytest

from contracts.config.augmentation.config import AugmentationConfig
from contracts.config.pipeline_config import PipelineConfig
from contracts.system.errors import InputError
from pipeline.sweep.variants import combinations, with_and_without_augmentation

CONFIG = PipelineConfig(name="x", data={"root": Path("/")})


def test_by_default_augmentation_is_compared_with_none():
    without, own = with_and_without_augmentation(CONFIG)
    assert without.config.augmentation.preset == "none"
    assert own.config == CONFIG
    assert own.name == "augmentation light"
    assert without.recipe(7).seed == 7


@pytest.mark.parametrize(
    "augmentation",
    [
        {"preset": "none"},
        {"preset": "none", "probe": "off"},
        {"preset": "none", "backend": "albumentations"},
        {"preset": "none", "mixup": 0.0, "operations": {"rotate": {"probability": 0.0}}},
        {"preset": "light", "operations": {"flip_horizontal": None, "translate": None}},
        {"preset": "none", "rand_augment": {"operations": 0}},
    ],
)
def test_nothing_to_compare_is_an_error(augmentation):
    section = AugmentationConfig.model_validate(augmentation)
    config = CONFIG.model_copy(update={"augmentation": section})
    with pytest.raises(InputError, match="augmentation: expected something that changes training"):
        with_and_without_augmentation(config)


@pytest.mark.parametrize("augmentation", [{"mixup": 0.2}, {"operations": {"rotate": {}}}])
def test_what_is_set_beside_the_preset_none_is_compared(augmentation):
    section = AugmentationConfig.model_validate({"preset": "none", **augmentation})
    config = CONFIG.model_copy(update={"augmentation": section})
    own = with_and_without_augmentation(config)[1]
    assert (own.name, own.config) == ("with augmentation", config)


@pytest.mark.parametrize(
    ("option", "values"),
    [
        ("trainer.learning_rate=1e-3,3e-3", [1e-3, 3e-3]),
        ("trainer.learning_rate=[1e-3, 3e-3]", [1e-3, 3e-3]),
        ("augmentation.preset=none,light", ["none", "light"]),
        ("trainer.model_options.filters=[8],[8,16],null", [[8], [8, 16], None]),
        ("trainer.model_options.filters=[[8],[8,16]]", [[8], [8, 16]]),
    ],
)
def test_values_of_a_key(option, values):
    variants = combinations(CONFIG, [option], Path("/"))
    key = option.partition("=")[0]
    assert [variant.values for variant in variants] == [{key: value} for value in values]


def test_several_keys_are_all_combinations_and_the_first_is_the_baseline():
    variants = combinations(
        CONFIG, ["trainer.batch_size=8,16", "trainer.model_options.kernel_size=3,5"], Path("/")
    )
    assert [variant.name for variant in variants] == [
        "batch_size 8, kernel_size 3",
        "batch_size 8, kernel_size 5",
        "batch_size 16, kernel_size 3",
        "batch_size 16, kernel_size 5",
    ]
    assert variants[2].config.trainer.batch_size == 16
    assert variants[3].config.trainer.options().kernel_size == 5


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["trainer.batch_size"], "expected KEY=VALUE,VALUE"),
        (["batch_size=8,16"], "did you mean `trainer.batch_size`?"),
        (["trainer.batch_size=8"], "expected two values or more"),
        (["trainer.batch_size=8,8"], "none of them twice"),
        (["trainer.batch_size=8,]x["], "expected YAML"),
        (
            ["trainer.batch_size=8,0"],
            "trainer.batch_size: expected an integer >= 1 or auto, received 0",
        ),
        (["trainer.batch_size=8,16", "trainer.batch_size=8,32"], "each key once"),
        (["trainer.warmup_epochs=0,30"], "expected less than trainer.epochs (20)"),
        (["trainer.weights=null,gone.keras"], "received /gone.keras, which does not exist"),
        (["trainer.loss=focal,gone.py:Loss"], "received /gone.py:Loss, which does not exist"),
        (["trainer.loss=focal,not_there:Loss"], "no module with Python sources named 'not_there'"),
    ],
)
def test_what_cannot_be_compared(options, said):
    with pytest.raises(InputError) as raised:
        combinations(CONFIG, options, Path("/"))
    assert said in str(raised.value)


def test_paths_are_relative_to_the_config(tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    (tmp_path / "mine.py").write_text("class Loss: ...\nclass Metric: ...")
    (tmp_path / "first.keras").touch()
    options = [
        "trainer.weights=null,first.keras",
        "trainer.loss=mine.py:Loss,focal",
        "trainer.metrics=[],[mine.py:Metric]",
    ]
    variants = combinations(CONFIG, options, tmp_path)
    last = variants[5]
    assert last.name == 'weights first.keras, loss mine.py:Loss, metrics ["mine.py:Metric"]'
    trainer = last.config.trainer
    assert trainer.weights_file() == tmp_path / "first.keras"
    assert [code.file for code in trainer.users_code()] == [tmp_path / "mine.py"] * 2
    assert last.values["trainer.weights"] == str(tmp_path / "first.keras")


def test_all_problems_at_once():
    with pytest.raises(InputError) as raised:
        combinations(CONFIG, ["trainer.batch_size=8,0", "trainer.epoch=3,4"], Path("/"))
    assert len(raised.value.problems) == 2
