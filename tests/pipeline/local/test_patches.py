"""Changes in libraries are undone when the components have run."""

import sys

import pytest

pytest.importorskip("tfx")

from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.runners.portability.fn_api_runner import worker_handlers
from tfx.orchestration.portable import cache_utils

from pipeline.local.patches.beam_state_cache import without_state_cache
from pipeline.local.patches.command_line import without_options
from pipeline.local.patches.tfx_cache_context import portable_cache_keys


def test_beam_takes_no_option_of_ours_for_one_of_its_own(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["imgpipe", "run", "--runner=Nonsense"])
    with without_options():
        assert PipelineOptions().view_as(StandardOptions).runner != "Nonsense"
    assert sys.argv == ["imgpipe", "run", "--runner=Nonsense"]


def test_beams_state_cache_comes_back():
    before = worker_handlers.STATE_CACHE_SIZE_MB
    assert before > 0
    with pytest.raises(KeyboardInterrupt), without_state_cache():
        assert worker_handlers.STATE_CACHE_SIZE_MB == 0
        raise KeyboardInterrupt
    assert before == worker_handlers.STATE_CACHE_SIZE_MB


def test_tfxs_own_cache_keys_come_back(tmp_path):
    before = cache_utils.get_cache_context
    with pytest.raises(KeyboardInterrupt), portable_cache_keys([tmp_path]):
        assert cache_utils.get_cache_context is not before
        raise KeyboardInterrupt
    assert cache_utils.get_cache_context is before
