"""A key that imgpipe no longer has is named with the reason, wherever an old config sets it."""

import pytest

from contracts.config.loading import removed_keys
from contracts.config.loading.config_schema import key_paths
from contracts.config.pipeline_config import PipelineConfig
from tests.contracts.conftest import GOOD

BATCH_SIZE = (
    "evaluation.batch_size: no longer a key, since version 0.2: 32 images are evaluated at a time, "
    "and no metric depends on it. Remove it."
)


def test_it_is_named_by_line(problems):
    assert problems(f"{GOOD}evaluation:\n  batch_size: 8\n") == [f"pipeline.yaml:5: {BATCH_SIZE}"]


def test_it_is_named_where_it_is_set_for_one_run(problems):
    assert problems(GOOD, "evaluation.batch_size=8") == [
        f"--set evaluation.batch_size=8: {BATCH_SIZE}"
    ]
    assert problems(GOOD, IMGPIPE_EVALUATION__BATCH_SIZE="8") == [
        f"IMGPIPE_EVALUATION__BATCH_SIZE: {BATCH_SIZE}"
    ]


def test_it_is_named_in_a_search_space(problems):
    (found,) = problems(f"{GOOD}search: {{space: {{trainer.steps_per_execution: [1, 8]}}}}")
    assert found.startswith(
        "pipeline.yaml:4: search.space.trainer.steps_per_execution: no longer a key, since "
    )


def test_it_is_named_together_with_all_other_problems(problems):
    text = f"{GOOD}trainer:\n  epochs: 0\n  steps_per_execution: 8\nevaluation:\n  batch_size: 1\n"
    assert [one.split(": ")[1] for one in problems(text)] == [
        "trainer.epochs",
        "trainer.steps_per_execution",
        "evaluation.batch_size",
    ]


@pytest.mark.parametrize("path", removed_keys._REASONS)
def test_no_key_that_there_is_counts_as_removed(path):
    assert path not in set(key_paths(PipelineConfig))
