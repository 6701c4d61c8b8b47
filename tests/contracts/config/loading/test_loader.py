"""A good pipeline.yaml becomes a config; a bad one tells of everything that is wrong with it."""

from pathlib import Path
from textwrap import dedent

import pytest

from contracts.config.pipeline_config import PipelineConfig
from contracts.config.trainer.model_options import CnnOptions
from contracts.system.errors import ConfigError
from tests.contracts.conftest import GOOD, load


def test_keys_that_are_left_out_have_their_defaults(write, tmp_path):
    config = load(write(GOOD))
    assert config == PipelineConfig(name="toys", data={"root": tmp_path / "photos"})


def test_relative_paths_start_at_the_file(write, tmp_path, monkeypatch):
    (tmp_path / "curated.pbtxt").touch()
    path = tmp_path / write("name: toys\ndata: {root: photos, schema: ./x/../curated.pbtxt}")
    monkeypatch.chdir("/")
    config = load(path)
    assert config.data.root == tmp_path / "photos"
    assert config.data.schema_path == tmp_path / "curated.pbtxt"


def test_chosen_images_are_relative_to_the_file_and_have_to_be_there(write, tmp_path):
    problem = (
        f"--set explanation.images.chosen=[photos/a.jpg, b.jpg]: explanation.images.chosen[1]: "
        f"expected an image file, received {tmp_path}/b.jpg, which does not exist. Paths are "
        "relative to the config."
    )
    path = write(GOOD)
    (tmp_path / "photos" / "a.jpg").touch()
    with pytest.raises(ConfigError) as raised:
        load(path, "explanation.images.chosen=[photos/a.jpg, b.jpg]")
    assert raised.value.problems == (problem,)
    (tmp_path / "b.jpg").touch()
    config = load(tmp_path / path, "explanation.images.chosen=[photos/a.jpg, b.jpg]")
    assert config.explanation.images.chosen == (tmp_path / "photos/a.jpg", tmp_path / "b.jpg")


def test_absolute_and_home_paths_stay(write, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    path = write("name: toys\ndata: {root: ~/photos}")
    assert load(path).data.root == tmp_path / "photos"
    assert load(path, f"data.root={tmp_path}").data.root == tmp_path


def test_a_byte_order_mark_is_passed_over(write):
    assert load(write(b"\xef\xbb\xbfname: toys\ndata: {root: photos}")).name == "toys"


def test_all_problems_at_once_with_file_and_line(problems):
    text = """\
        name: my toys
        data:
          root: nowhere
          splits: {train: 0}
        preprocessing:
          resize: cropped
        trainer:
          batch_size: "3"
          batchsize: 3
          epochs: 2.5
          model: cn
          model_options: {filters: [8, -8]}
        evaluation:
        """
    assert problems(dedent(text)) == [
        "pipeline.yaml:1: name: expected 1 to 63 letters, digits, '_', '.' and '-', the first a "
        "letter or a digit, received 'my toys'.",
        f"pipeline.yaml:3: data.root: expected an image folder or a CSV file, received "
        f"{Path.cwd()}/nowhere, which does not exist.",
        "pipeline.yaml:4: data.splits.train: expected an integer >= 1, received 0.",
        "pipeline.yaml:6: preprocessing.resize: expected one of crop, pad, stretch, "
        "received 'cropped'.",
        "pipeline.yaml:8: trainer.batch_size: expected an integer >= 1 or auto, received '3'. "
        "Remove the quotes.",
        "pipeline.yaml:9: trainer.batchsize: unknown key; did you mean `batch_size`?",
        "pipeline.yaml:10: trainer.epochs: expected an integer >= 1, received 2.5.",
        "pipeline.yaml:11: trainer.model: expected one of cnn, convnext_atto, convnext_femto, "
        "convnext_pico, convnext_nano, convnext_tiny, convnext_small, convnext_base, "
        "convnext_large, convnext_v2_tiny, convnext_v2_base, a model of keras.applications such "
        "as ResNet50, `module:function` or `file.py:function`, received 'cn'; did you mean `cnn`?",
        "pipeline.yaml:13: evaluation: expected the keys min_accuracy, max_accuracy_drop, "
        "received null. Give it a key, or remove the line to have the defaults.",
    ]


def test_no_file_names_the_command_that_writes_one(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.yaml: expected a config file, .*`imgpipe init`"):
        load(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match=r"cannot be read \(Is a directory\)"):
        load(tmp_path)


def test_file_then_environment_then_set(write):
    path = write(f"{GOOD}trainer:\n  epochs: 1\n  warmup_epochs: 0")
    environment = {"IMGPIPE_TRAINER__EPOCHS": "2", "IMGPIPE_Trainer__Batch_Size": "8"}
    assert load(path).trainer.epochs == 1
    assert load(path, **environment).trainer.epochs == 2
    config = load(path, "trainer.epochs=3", "seed = 7", **environment)
    assert (config.trainer.epochs, config.trainer.batch_size, config.seed) == (3, 8, 7)


def test_an_override_wins_over_what_is_wrong_in_the_file(write):
    path = write(f"{GOOD}trainer: {{epochs: many}}")
    assert load(path, "trainer.epochs=3").trainer.epochs == 3


def test_overrides_take_yaml_values(write):
    config = load(
        write(GOOD), "trainer.model_options={filters: [4, 8]}", "data.group_by=", IMGPIPE_NAME="x"
    )
    assert config.trainer.options() == CnnOptions(filters=(4, 8))
    assert (config.data.group_by, config.name) == (None, "x")


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ("trainer.epochs=x", "trainer.epochs: expected an integer >= 1, received 'x'."),
        ("trainer.epoch=1", "trainer.epoch: unknown key; did you mean `epochs`?"),
        ("train.epochs=1", "train: unknown key; did you mean `trainer`?"),
        ("name.first=x", "name.first: name is no section to set a key in: it is 'toys'."),
        ("seed=[", "seed: expected YAML: "),
        ("data={}", "data.root: expected a path (image folder, or a CSV (path"),
        ("seed", "expected section.key=value, received 'seed'."),
        ("=1", "expected section.key=value, received '=1'."),
        ("data.root=gone", "data.root: expected an image folder or a CSV file, received "),
        ("trainer.model_options={filter: [1]}", "trainer.model_options.filter: unknown key; "),
    ],
)
def test_a_wrong_override_is_told_as_it_was_given(problems, override, problem):
    found = problems(GOOD, override)
    assert len(found) == 1
    assert found[0].startswith(f"--set {override}: {problem}")


def test_a_wrong_variable_is_told_by_its_name(problems):
    variables = {"IMGPIPE_TRAINER__EPOCHS": "0", "IMGPIPE_BEEM__RUNNER": "x", "IMGPIPE_SEED": "-1"}
    assert set(problems(GOOD, **variables)) == {
        "IMGPIPE_TRAINER__EPOCHS: trainer.epochs: expected an integer >= 1, received 0.",
        "IMGPIPE_BEEM__RUNNER: beem: unknown key; did you mean `beam`?",
        "IMGPIPE_SEED: seed: expected an integer >= 0 and < 2147483648, received -1.",
    }


def test_variables_that_are_not_of_the_config_are_ignored(write):
    others = {"IMGPIPE_REAL_DATA": "x", "IMGPIPE_DATA": "y", "SEED": "3", "IMGPIPE_": "z"}
    assert load(write(GOOD), **others).seed == 0
