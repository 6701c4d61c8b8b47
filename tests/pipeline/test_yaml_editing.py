"""Values are put into a user's YAML whatever its style, and everything else stays."""

import pytest

from contracts.config.loading.yaml_marks import read_yaml
from contracts.system.errors import ConfigError
from pipeline.commands.init import TEMPLATE
from pipeline.yaml_editing import with_values_in_place

TEXT = """\
# head
trainer:
  # of the model
  model_options:
    filters:
      - 16  # first
      - 32
    # size
    kernel_size: 3  # odd
  epochs: 2   # few
augmentation: {preset: light}  # own
empty:
"""


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"trainer.epochs": 7}, TEXT.replace("epochs: 2 ", "epochs: 7 ")),
        ({"augmentation.preset": "none"}, TEXT.replace("light", "none")),
        (
            {"trainer.model_options.filters": [8, 8]},
            TEXT.replace("- 16  # first\n      - 32", "[8, 8]"),
        ),
        (
            {"trainer.learning_rate": 0.01},
            TEXT.replace("  # of the model\n", "  # of the model\n  learning_rate: 0.01\n"),
        ),
        ({"augmentation.probability": 0.5}, TEXT.replace("{preset", "{probability: 0.5, preset")),
        ({"empty.a.b": None}, TEXT.replace("empty:", "empty: {a: {b: null}}")),
        ({"new.a": "no # comment"}, TEXT.replace("trainer:", "new: {a: 'no # comment'}\ntrainer:")),
    ],
)
def test_each_style(values, expected):
    assert with_values_in_place(TEXT, values) == expected


def test_several_at_once_in_the_template():
    text = TEMPLATE.read_text(encoding="utf-8")
    values = {
        "trainer.model_options.kernel_size": 5,
        "trainer.model_options.filters": [[16, 32]][0],
        "trainer.learning_rate": 1.5e-05,
        "augmentation.preset": "none",
    }
    edited = with_values_in_place(text, values)
    trainer = read_yaml(edited).value["trainer"]
    assert trainer["model_options"] == {"kernel_size": 5, "filters": [16, 32]}
    assert trainer["learning_rate"] == 1.5e-05
    comments = [line for line in text.splitlines() if line.lstrip().startswith("#")]
    assert [line for line in edited.splitlines() if line.lstrip().startswith("#")] == comments


def test_a_mapping_that_is_too_long_for_a_line_gets_a_line_a_key():
    long = {f"operation_{number}": {"probability": 0.5, "range": [-1, 1]} for number in range(3)}
    text = "a:\n  # of b\n  b: {}\n  c: 1  # of c\n"
    assert with_values_in_place(text, {"a.b": long}) == (
        "a:\n  # of b\n  b:\n"
        "    operation_0: {probability: 0.5, range: [-1, 1]}\n"
        "    operation_1: {probability: 0.5, range: [-1, 1]}\n"
        "    operation_2: {probability: 0.5, range: [-1, 1]}\n"
        "  c: 1  # of c\n"
    )
    in_flow = with_values_in_place("a: {b: {}, c: 1}\n", {"a.b": long})
    assert read_yaml(in_flow).value == {"a": {"b": long, "c": 1}}


def test_what_stands_in_two_places_is_refused():
    text = "a: &one {x: 1}\nb: *one\n"
    for values in ({"b.x": 2}, {"b.y": 2}, {"a.y": 2, "a.z": 3}):
        with pytest.raises(ConfigError, match="without changing other keys"):
            with_values_in_place(text, values)
