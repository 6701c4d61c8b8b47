import pytest

from components.image_example_gen.listing.leave_out import leave_out_key
from contracts.config.data import DataConfig
from contracts.config.loading.yaml_marks import read_yaml


@pytest.mark.parametrize("names", [["a"], ["1", "yes", "null", "a, b", "[x]"], ["caf\u00e9"]])
def test_the_key_can_be_copied_into_pipeline_yaml(names: list[str]) -> None:
    key, _, value = leave_out_key(names).partition(": ")
    assert key == "data.leave_out"
    data = read_yaml(f"root: photos\nleave_out: {value}\n").value
    assert DataConfig.model_validate(data).leave_out == tuple(names)


def test_of_many_names_the_first_five_are_written() -> None:
    assert leave_out_key(list("abcdefg")) == "data.leave_out: [a, b, c, d, e, ...]"
