"""Keys that are right one by one and wrong together, or name what is not there."""

from pathlib import Path

import pytest

from contracts.config.loading.loader import load_config
from tests.contracts.conftest import GOOD, load


@pytest.mark.parametrize(
    ("sections", "problem"),
    [
        (
            "preprocessing: {image_size_px: 8}\ntrainer:\n  model_options:\n"
            "    filters: [1, 1, 1, 1]",
            "pipeline.yaml:6: trainer.model_options.filters: expected stages that leave 1 pixel "
            "and more of preprocessing.image_size_px (8), received 4, of which number 4 takes the "
            "last 1 a side.",
        ),
        (
            "trainer:\n  model_options:\n    kernel_size: [3, 3]\n    stride: [1, 1, 2]",
            "pipeline.yaml:6: trainer.model_options.stride: expected one value, or a list of 2, "
            "one a stage as in kernel_size, received 3.",
        ),
        (
            "preprocessing: {image_size_px: 16}\ntrainer:\n  model_options:\n"
            "    {filters: [4, 4], padding: valid, kernel_size: 7}",
            "pipeline.yaml:6: trainer.model_options.filters: expected stages that leave 1 pixel "
            "and more of preprocessing.image_size_px (16), received 2, of which number 2 takes "
            "the last 5 a side.",
        ),
        (
            "trainer: {model_options: {pooling: [max, min]}}",
            "trainer.model_options.pooling[1]: expected one of max, average, none, received 'min'",
        ),
        (
            "trainer: {model_options: {padding: none}}",
            "trainer.model_options.padding: expected one of same, valid or a list, each item one "
            "of same, valid, received 'none'",
        ),
        (
            "preprocessing: {image_size_px: 64}\ntrainer: {model: Xception}",
            "pipeline.yaml:3: preprocessing.image_size_px: expected an integer >= 71, the least "
            "that Xception takes, received 64.",
        ),
        (
            "trainer: {model: ResNet50, model_options: {filters: [8]}}",
            "trainer.model_options.filters: unknown key; known keys: pooling, head_dropout, ",
        ),
        (
            "trainer: {model: convnext_atto, model_options: {layer_scale_init: 0.1}}",
            "trainer.model_options.layer_scale_init: unknown key; known keys: depths, ",
        ),
        (
            "trainer: {callbacks: ['keras.callbacks:ReduceLROnPlateau']}",
            "trainer.callbacks[0]: expected none that sets the learning rate, which "
            "trainer.schedule: cosine with its warm-up does, received "
            "keras.callbacks:ReduceLROnPlateau. Set trainer.schedule: constant",
        ),
        (
            "trainer: {weights: imagenet}",
            "trainer.weights: expected null or a file, since there are no ImageNet weights of cnn",
        ),
        (
            "trainer: {model: convnext_tiny, weights: imagenet, model_options: {stem_patch_px: 2}}",
            "trainer.model_options.stem_patch_px: expected 4, as the ImageNet weights of "
            "trainer.weights were trained with, received 2.",
        ),
        (
            "trainer: {model: convnext_tiny, weights: imagenet, model_options: {widths: [8]}}",
            "trainer.model_options.widths: expected null, as the ImageNet weights",
        ),
        (
            "trainer: {epochs: 3, warmup_epochs: 0, fine_tuning: {frozen_epochs: 3}}",
            "trainer.fine_tuning.frozen_epochs: expected less than trainer.epochs (3), received 3.",
        ),
        (
            "trainer:\n  epochs: 2\n  warmup_epochs: 2",
            "pipeline.yaml:5: trainer.warmup_epochs: expected less than trainer.epochs (2), "
            "received 2.0.",
        ),
        (
            "trainer: {epochs: 20, warmup_epochs: 3, fine_tuning: {frozen_epochs: 2}}",
            "trainer.warmup_epochs: expected less than trainer.fine_tuning.frozen_epochs (2), the "
            "first phase's, received 3.0. Lower it too",
        ),
        (
            "trainer: {epochs: 20, warmup_epochs: 3, fine_tuning: {frozen_epochs: 18}}",
            "trainer.warmup_epochs: expected less than 2, the second phase's (trainer.epochs less "
            "fine_tuning.frozen_epochs), received 3.0.",
        ),
        (
            "trainer:\n  devices: mirrored\n  gradient_accumulation_steps: 4",
            "pipeline.yaml:5: trainer.gradient_accumulation_steps: expected 1 with "
            "trainer.devices: mirrored, where Keras cannot accumulate, received 4. Take a larger",
        ),
        (
            "trainer: {devices: multi_worker, gradient_accumulation_steps: 2}",
            "trainer.gradient_accumulation_steps: expected 1 with trainer.devices: multi_worker",
        ),
        (
            "trainer: {model: convnext_pico, model_options: {depths: [1, 1], widths: [8]}}",
            "pipeline.yaml:3: trainer.model_options.depths: expected depths and widths of the same "
            "length, received 2 and 1 stages",
        ),
        (
            "trainer: {model: convnext_pico, model_options: {widths: [8, 8, 8]}}",
            "trainer.model_options.widths: expected depths and widths of the same length, "
            "received 4 and 3 stages",
        ),
        (
            "trainer: {model: convnext_atto, model_options: {stem_patch_px: 16}}",
            "trainer.model_options.stem_patch_px: expected a stem and stages that shrink "
            "preprocessing.image_size_px (96) by no more than itself",
        ),
        (
            "trainer:\n  model_options:\n    dropout: 1\n    filters: []",
            "pipeline.yaml:5: trainer.model_options.dropout: expected a number >= 0 and < 1",
        ),
        (
            "trainer: {model: convnext_nano, model_options: {filters: [8]}}",
            "trainer.model_options.filters: unknown key; known keys: depths, widths, ",
        ),
        (
            "trainer: {model: 'my models:build'}",
            "`module:function` or `file.py:function`, received 'my models:build'",
        ),
    ],
)
def test_keys_that_contradict_one_another(problems, sections, problem):
    assert problem in problems(f"name: toys\ndata: {{root: photos}}\n{sections}")[0]


def test_a_contradiction_with_a_wrong_value_is_not_told(problems):
    found = problems(f"{GOOD}trainer: {{epochs: 0, warmup_epochs: 30}}")
    assert [problem for problem in found if "warmup" in problem] == []


def test_a_model_of_the_users_own_takes_any_options(write):
    options = "trainer.model_options={anything: [1, {at: all}]}"
    config = load(write(GOOD), "trainer.model=json:loads", options)
    assert config.trainer.model_options == {"anything": [1, {"at": "all"}]}


def test_group_by_is_a_regular_expression_only_for_folders(problems, write):
    assert (
        "data.group_by: expected a regular expression on the path, received 'x('"
        in (problems(GOOD, "data.group_by=x(")[0])
    )
    Path("list.csv").touch()
    assert load(write(GOOD), "data.group_by=x(", "data.root=list.csv").data.group_by == "x("


@pytest.mark.parametrize("schema", ["gone.pbtxt", "photos"])
def test_a_schema_that_is_no_file(problems, schema):
    found = problems(GOOD, f"data.schema={schema}")
    assert (
        f"data.schema: expected a schema file (.pbtxt), received {Path.cwd()}/{schema}"
        in (found[0])
    )


@pytest.mark.parametrize("root", ["x" * 300, r'"nul\0l"', "~nobody-has-this-name/x"])
def test_a_root_that_no_disk_can_hold(problems, root):
    assert problems(GOOD, f"data.root={root}")[0].startswith("--set data.root=")


def test_who_reads_no_images_needs_no_data(write):
    path = write("name: toys\ndata: {root: gone, schema: gone}")
    assert load_config(path, environ={}, needs_data=False).name == "toys"


@pytest.mark.parametrize(
    "uri", ["https://me:secret@mlflow:5000", "postgresql://me:secret@db/mlflow"]
)
def test_a_password_in_an_address_is_refused_and_not_repeated(problems, uri):
    (problem,) = problems(f"{GOOD}tracking: {{mlflow: {{uri: '{uri}'}}}}")
    assert "tracking.mlflow.uri: expected an address without a password" in problem
    assert "MLFLOW_TRACKING_PASSWORD" in problem
    assert "secret" not in problem


def test_an_address_without_a_password_is_taken(write):
    config = load_config(
        write(f"{GOOD}tracking: {{mlflow: {{uri: 'https://me@mlflow:5000/a:b@c'}}}}")
    )
    assert config.tracking.mlflow.uri == "https://me@mlflow:5000/a:b@c"
