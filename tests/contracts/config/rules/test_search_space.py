"""Every key and value that a search may try is held to the config's own rules when it is loaded."""

import pytest

from contracts.config.loading.loader import load_config
from contracts.config.pipeline_config import PipelineConfig
from contracts.config.rules.search_space import varied_configs
from contracts.config.search import NumberRange, SearchConfig
from contracts.config.variation import with_epochs
from contracts.system.errors import ConfigError


@pytest.fixture
def load(tmp_path):
    """Return `load(search, trainer="{}")`: the config with these sections, a line each."""

    def load(search: str, trainer: str = "{}") -> PipelineConfig:
        file = tmp_path / "pipeline.yaml"
        text = f"name: x\ndata: {{root: {tmp_path}}}\ntrainer: {trainer}\nsearch:\n"
        file.write_text(text + search)
        return load_config(file, environ={})

    return load


def problems(load, space: str, head: str = "", trainer: str = "{}") -> list[str]:
    """Return what is wrong with a space, without the file's name."""
    with pytest.raises(ConfigError) as raised:
        load(f"{head}  space:\n{space}", trainer)
    return [problem.rpartition("pipeline.yaml:")[2] for problem in raised.value.problems]


def test_a_space_is_read(load):
    search = load(
        "  space:\n"
        "    trainer.learning_rate: {low: 1.0e-4, high: 1, scale: log}\n"
        "    trainer.batch_size: {low: 8, high: 64}\n"
        "    trainer.model_options.filters: [[16, 32], [32], null]\n"
        "    augmentation.preset: [none, light]\n"
    ).search
    assert search.dimensions() == {
        "trainer.learning_rate": NumberRange(low=1e-4, high=1, scale="log"),
        "trainer.batch_size": NumberRange(low=8, high=64),
        "trainer.model_options.filters": ([16, 32], [32], None),
        "augmentation.preset": ("none", "light"),
    }
    assert SearchConfig().dimensions() == {}


def test_all_wrong_keys_and_values_are_told_at_once_with_their_lines(load):
    assert problems(
        load,
        "    trainer.learning_rate: {low: -1.0, high: 1.0}\n"
        "    trainer.model_options.kernel_size: [3, 5, 70]\n"
        "    augmentation.preset: [none, lihgt]\n",
    ) == [
        "6: search.space.trainer.learning_rate.low: expected a number > 0 or auto, received -1.0.",
        "7: search.space.trainer.model_options.kernel_size[2]: expected an integer from 1 to 15 "
        "or a list, each item an integer from 1 to 15, received 70.",
        "8: search.space.augmentation.preset[1]: expected one of none, light, medium, "
        "strong, paper, received 'lihgt'.",
    ]


def test_strengths_of_augmentation_are_searched_within_their_limits(load):
    assert load(
        "  space:\n"
        "    augmentation.operations.rotate.range: [[-10, 10], [-30, 30]]\n"
        "    augmentation.operations.rotate.probability: {low: 0.1, high: 0.9}\n"
        "    augmentation.rand_augment.magnitude: {low: 1.0, high: 9.0}\n"
    ).search.space
    first, second, third = problems(
        load,
        "    augmentation.operations.rotate.range: [[-10, 10], [-300, 30]]\n"
        "    augmentation.operations.rotate.probability: {low: 0.1, high: 1.5}\n"
        "    augmentation.rand_augment.magnitude: {low: 1.0, high: 11.0}\n",
    )
    assert first.startswith("6: search.space.augmentation.operations.rotate.range[1]: expected")
    assert second.startswith("7: search.space.augmentation.operations.rotate.probability.high: ")
    assert third.startswith("8: search.space.augmentation.rand_augment.magnitude.high: expected")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("trainer.lerning_rate: [1.0, 2.0]", "did you mean `learning_rate`?"),
        ("learning_rate: [1.0, 2.0]", "did you mean `trainer.learning_rate`?"),
        ("trainer: [1, 2]", "expected the dotted key of a value of trainer or augmentation"),
        ("evaluation.min_accuracy: [0.1, 0.2]", "expected the dotted key"),
        ("trainer.learning_rate.x: [1, 2]", "expected a number > 0 or auto, received {"),
        ("trainer.batch_size: 8", "expected a list of values or {low: ..., high: ..., scale"),
        ("trainer.batch_size: []", "expected two values or more"),
        ("trainer.batch_size: [8]", "expected two values or more"),
        ("trainer.batch_size: [8, 16, 8]", "none of them twice"),
        ("trainer.batch_size: {low: 8}", "expected an integer or a number, received nothing"),
        ("trainer.batch_size: {low: 8, high: 8}", "expected more than low (8), received 8"),
        (
            "trainer.batch_size: {low: 8.5, high: 9}",
            "expected an integer >= 1 or auto, received 8.5",
        ),
        ("trainer.weight_decay: {low: 0, high: 1, scale: log}", "on a logarithmic scale"),
        ("trainer.batch_size: {low: 8, high: 9, sale: log}", "did you mean `scale`?"),
        (
            "trainer.model_options.filters: [[8], [8, 8, 8, 8, 8, 8, 8]]",
            "expected stages that leave 1 pixel and more",
        ),
        ("trainer.warmup_epochs: [0.5, 99.0]", "expected less than trainer.epochs (20)"),
        ("trainer.epochs: [1, 20]", "with 1: trainer.warmup_epochs: expected less than"),
    ],
)
def test_what_cannot_be_searched(load, line, said):
    (told,) = problems(load, f"    {line}\n", trainer="{warmup_epochs: 1.5}")[:1]
    assert said in told


@pytest.mark.parametrize("head", ["  algorithm: hyperband\n", "  epochs: 3\n"])
def test_epochs_are_chosen_in_one_place(load, head):
    (told,) = problems(load, "    trainer.epochs: [10, 20]\n", head)
    assert "expected no choice of epochs" in told


def test_a_wrong_trainer_section_is_told_without_what_follows_from_it(load):
    space = "    trainer.model_options.depths: [[1, 1], [2, 2]]\n"
    (told,) = problems(load, space, trainer="{model: convnext_ato}")
    assert "trainer.model: expected one of" in told


def test_paths_are_relative_to_the_config_and_looked_at(load, tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    (tmp_path / "mine.py").write_text("class Loss: ...\nclass Metric: ...\ndef build(): ...")
    (tmp_path / "first.keras").touch()
    space = (
        "    trainer.model: [cnn, 'mine.py:build']\n"
        "    trainer.metrics: [[], ['mine.py:Metric', 'json:JSONEncoder']]\n"
        "    trainer.weights: [null, imagenet, {}.keras]\n"
    )
    with pytest.raises(ConfigError):  # imagenet goes with no cnn
        load("  space:\n" + space.format("first"))
    space = space.replace("imagenet, ", "")
    assert load("  space:\n" + space.format("first")).search.space == {
        "trainer.model": ["cnn", f"{tmp_path}/mine.py:build"],
        "trainer.metrics": [[], [f"{tmp_path}/mine.py:Metric", "json:JSONEncoder"]],
        "trainer.weights": [None, f"{tmp_path}/first.keras"],
    }
    assert problems(load, space.format("gone").replace(":Metric'", ":Metrik'")) == [
        f"7: search.space.trainer.metrics[1]: expected a Python file with a class derived from "
        f"keras.metrics.Metric, received {tmp_path}/mine.py:Metrik, but the file has no `Metrik`.",
        f"8: search.space.trainer.weights[1]: expected null, imagenet or a file of weights "
        f"(.weights.h5, .keras), received {tmp_path}/gone.keras, which does not exist. Paths are "
        "relative to the config.",
    ]
    file = tmp_path / "pipeline.yaml"
    assert load_config(file, environ={}, needs_data=False).search.space


def test_each_value_is_tried_alone(load):
    config = load(
        "  space:\n    trainer.batch_size: {low: 8, high: 9}\n"
        "    trainer.loss: [focal, json:JSONDecoder]\n"
    )
    assert [
        (place[2:], one.trainer.batch_size, one.trainer.loss)
        for place, one in varied_configs(config)
    ] == [
        (("trainer.batch_size", "low"), 8, "cross_entropy"),
        (("trainer.batch_size", "high"), 9, "cross_entropy"),
        (("trainer.loss", 0), 32, "focal"),
        (("trainer.loss", 1), 32, "json:JSONDecoder"),
    ]


@pytest.mark.parametrize(
    ("line", "head"),
    [
        ("trainer.loss: [cross_entropy, focal]", "  objective: val_loss\n"),
        ("trainer.label_smoothing: {low: 0.0, high: 0.2}", "  objective: val_loss\n"),
    ],
)
def test_losses_of_different_meaning_are_not_compared(load, line, head):
    (told,) = problems(load, f"    {line}\n", head)
    key = line.partition(":")[0]
    assert told == (
        f"7: search.space.{key}: expected no choice of what val_loss means, since search.objective "
        f"compares trials by it, received {key}. Take search.objective: val_accuracy, or remove "
        "this key."
    )
    load(f"  space:\n    {line}\n")


def test_what_counts_in_training_alone_may_be_compared_by_its_loss(load):
    load(
        "  objective: val_loss\n  space:\n    trainer.class_weights: [none, balanced]\n"
        "    augmentation.mixup: [0.0, 0.2]\n"
    )


def test_a_shorter_training_has_its_warm_up_squeezed(load):
    config = load("  space: {}\n", "{epochs: 20, warmup_epochs: 5.0}")
    shorter = with_epochs(config, 4).trainer
    assert (shorter.epochs, shorter.warmup_epochs) == (4, 1.0)
    longer = with_epochs(config, 40).trainer
    assert (longer.epochs, longer.warmup_epochs) == (40, 5.0)
