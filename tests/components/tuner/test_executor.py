"""What a search found goes into its artifacts as the config takes it."""

import json

import pytest

pytest.importorskip("tfx")

from tfx.types import standard_artifacts

from components.tuner import executor
from contracts.config.search import SearchConfig
from trainer.search.best import BEST_FILE
from trainer.search.ledger import LEDGER_FILE, Ledger


class Found:
    """A tuner that has searched."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger


@pytest.mark.parametrize("config_folder", ["/home/ann/p", ""])
def test_files_among_the_best_values_are_relative_to_the_config(
    tmp_path, monkeypatch, config_folder
):
    ledger = Ledger(tmp_path / "kept" / LEDGER_FILE)
    record = ledger.begin({"trainer.model": "/home/ann/p/nets/net.py:build"}, 3)
    record.status, record.score = "completed", 0.5
    monkeypatch.setattr(executor.stock, "search", lambda *_: Found(ledger))
    monkeypatch.setattr(executor.stock, "write_best_hyperparameters", lambda *_: None)
    outputs = {}
    for key, kind in (
        ("best_hyperparameters", standard_artifacts.HyperParameters),
        ("tuner_results", standard_artifacts.TunerResults),
    ):
        outputs[key] = [kind()]
        outputs[key][0].uri = str(tmp_path / key)
        (tmp_path / key).mkdir()
    custom_config = {
        "search": SearchConfig().model_dump_json(),
        "config_folder": config_folder,
    }
    monkeypatch.setattr(executor.Executor, "_get_tmp_dir", lambda _: str(tmp_path))
    executor.Executor().Do({}, outputs, {"custom_config": json.dumps(custom_config)})
    model = "nets/net.py:build" if config_folder else "/home/ann/p/nets/net.py:build"
    best = (tmp_path / "best_hyperparameters" / BEST_FILE).read_text()
    assert best.endswith(f"\ntrainer: {{model: '{model}'}}\n")
    assert (tmp_path / "tuner_results" / LEDGER_FILE).is_file()
