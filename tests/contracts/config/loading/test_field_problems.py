"""Each wrong key or value is told with what was expected, what was received and what to do."""

import math

import pytest

from contracts.config.key_paths import dotted
from contracts.config.loading.config_schema import key_paths
from contracts.config.loading.loader import load_config
from contracts.config.pipeline_config import PipelineConfig
from contracts.system.errors import ConfigError
from tests.contracts.conftest import GOOD


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "seed: 1\ndata:\n  splits: {train: 1}\nname: toys",
            "pipeline.yaml:2: data.root: expected a path (image folder, or a CSV "
            "(path,label[,split,group])), received nothing.",
        ),
        ("data: {root: photos}", "pipeline.yaml: name: expected 1 to 63 letters"),
        (
            "name: 2024\ndata: {root: photos}",
            "the first a letter or a digit, received 2024. Put it in quotes.",
        ),
        (
            f"{GOOD}tracking: {{mlflow: {{uri: 5000}}}}",
            "pipeline.yaml:4: tracking.mlflow.uri: expected text or null, received 5000. "
            "Put it in quotes.",
        ),
        (f"{GOOD}trainer: cnn", "pipeline.yaml:4: trainer: expected the keys model, "),
        (f"{GOOD}trainer: {{epochs: true}}", "expected an integer >= 1, received true."),
        (
            f"{GOOD}trainer: {{learning_rate: .inf}}",
            "expected a number > 0 or auto, received Infinity.",
        ),
        (
            f"{GOOD}evaluation: {{min_accuracy: 95}}",
            "pipeline.yaml:4: evaluation.min_accuracy: expected a number from 0 to 1 or "
            "largest_class, received 95.",
        ),
        (
            f"{GOOD}evaluation: {{min_accuracy: majority}}",
            "expected a number from 0 to 1 or largest_class, received 'majority'.",
        ),
        (
            f"{GOOD}evaluation: {{min_accuracy: null}}",
            "expected a number from 0 to 1 or largest_class, received null.",
        ),
        (f"{GOOD}beam: {{runner: flink}}", "beam.runner: expected direct, received 'flink'."),
        (f"{GOOD}batch_size: 3", "unknown key; did you mean `trainer.batch_size`?"),
        (f"{GOOD}enabled: true", "did you mean `tracking.mlflow.enabled` or `tracking."),
        (
            f"{GOOD}colour: red",
            "unknown key; known keys: name, seed, data, validation, preprocessing, ",
        ),
        (f"{GOOD}1: 2", "pipeline.yaml:4: expected text as a key, received 1."),
        (f"{GOOD}data.root: x", "pipeline.yaml:4: data.root: unknown key; "),
    ],
)
def test_a_wrong_key_or_value(problems, text, problem):
    found = problems(text)
    assert len(found) == 1
    assert problem in found[0]


def test_the_name_that_only_the_code_knows_is_no_key(problems):
    assert problems("name: toys\ndata: {root: photos, schema_path: x}") == [
        "pipeline.yaml:2: data.schema_path: unknown key; did you mean `schema`?"
    ]


def test_received_values_are_shortened(problems):
    assert len(problems(GOOD, IMGPIPE_SEED="x" * 5000)[0]) < 200


def test_numbers_that_are_none_are_refused(problems):
    for value in (".nan", "-.inf", str(-math.pi)):
        assert (
            "trainer.weight_decay: expected a number >= 0"
            in (problems(GOOD, f"trainer.weight_decay={value}")[0])
        )


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("abc", "data.value_range: expected a list of 2, each item a number or null, received"),
        ("[1]", "data.value_range[1]: expected a number, received nothing."),
        ("[0, x]", "data.value_range[1]: expected a number, received 'x'."),
    ],
)
def test_a_pair_of_numbers(problems, value, problem):
    assert problem in problems(GOOD, f"data.value_range={value}")[0]


@pytest.mark.parametrize(
    "value", ["abc", "-1", "[1]", "[1, 2, 3]", "{a: 1}", "1e400", '""', "null", "[{b: []}]", "true"]
)
def test_whatever_stands_at_a_key_ends_in_a_config_or_in_sentences(write, value):
    path = write(GOOD)
    for key in map(dotted, key_paths(PipelineConfig)):
        try:
            load_config(path, [f"{key}={value}"])
        except ConfigError as error:
            assert all(f"{key}={value}: " in problem for problem in error.problems)
