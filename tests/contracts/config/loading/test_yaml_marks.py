"""YAML is read as YAML 1.2, with the lines of its keys; what is none is told by line."""

import pytest

from tests.contracts.conftest import GOOD, load


def test_scalars_are_those_of_yaml_1_2(write):
    path = write("name: no\nseed: 010\ndata: {root: photos}\ntrainer: {learning_rate: 1e-3}")
    config = load(path)
    assert (config.name, config.seed, config.trainer.learning_rate) == ("no", 10, 1e-3)
    assert load(path, "seed=0x1f").seed == 31


def test_aliases_and_merged_mappings(write):
    path = write(
        "name: toys\ndata: {root: photos, splits: &parts {train: 3}}\n"
        "trainer: {model: 'json:loads', model_options: {<<: *parts, size: *parts}}"
    )
    options = load(path, "data.splits.train=5").trainer.model_options
    assert options == {"train": 3, "size": {"train": 3}}


def test_a_key_that_stands_there_twice_tells_both_lines(problems):
    assert problems(f"{GOOD}seed: 1\nname: cars\n") == [
        "pipeline.yaml:5: name: expected once, also stands on line 1. Remove one of the two."
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "pipeline.yaml: expected keys, received an empty file. `imgpipe init DIR` writes one"),
        ("# nothing\n", "pipeline.yaml: expected keys, received an empty file."),
        ("- a\n- b", 'pipeline.yaml:1: expected keys such as `name: clothes`, received ["a", "b"]'),
        ("name: toys\n\tseed: 1", "pipeline.yaml:2: expected YAML: "),
        ("\tname: toys", "Indent with spaces, not with tabs."),
        ("name: a: b", "pipeline.yaml:1: expected YAML: mapping values are not allowed here"),
        ("name: toys\ndata: [", "pipeline.yaml:2: expected YAML: "),
        ("name: toys\n---\nname: cars", "pipeline.yaml:2: expected YAML: found another document"),
        ("name: !!python/name:os.system", "could not determine a constructor for the tag"),
        ("seed: !!int two", "pipeline.yaml:1: expected YAML: 'two' is no number"),
        ("name: toys\ndata: &a {b: *a}", "pipeline.yaml:2: expected YAML: a value contains itself"),
        ("name: to\x07ys", "pipeline.yaml:1: expected text, received the control character U+0007"),
        (b"name: toys\nseed: \xff", "pipeline.yaml:2: expected UTF-8 text, received the byte 0xff"),
        ("[" * 1000, "expected a few levels of keys, received hundreds."),
    ],
)
def test_text_that_is_no_config(problems, text, problem):
    found = problems(text)
    assert len(found) == 1
    assert problem in found[0]
