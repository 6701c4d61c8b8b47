"""`imgpipe sweep --search --write FILE` writes a valid config, whole, or none."""

import argparse
import json
from pathlib import Path

import pytest

from contracts.config.loading.loader import load_config
from contracts.system.errors import ConfigError, InputError
from pipeline.component_ids import TUNER
from pipeline.preflight.preflight import Preflight
from pipeline.summary import SecondsSummary, Summary
from pipeline.sweep import best_config
from pipeline.sweep import search as search_module
from trainer.search.best import BEST_FILE, write_best
from trainer.search.ledger import LEDGER_FILE, Ledger

CONFIG = """\
name: x
data: {root: photos}
trainer:
  epochs: 20  # many
search:
  space:
    trainer.epochs: [4, 20]
    trainer.warmup_epochs: [0.5, 5.0]
"""


@pytest.fixture
def search(tmp_path, monkeypatch, capsys):
    """Return `search(text, **best)`: what the search of a config prints whose best values are so.

    Keys of `best` have `__` for a dot. Of a failure, and `as_json`, it is what standard error has.
    """
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()

    def run(text: str = CONFIG, failure: str = "", as_json: bool = False, **best: object) -> str:
        file = Path("pipeline.yaml")
        file.write_text(text)
        config = load_config(file, environ={})

        def run_pipeline(checked, workspace, to):
            assert to == TUNER
            seconds = SecondsSummary(total=1.0, start=1.0)
            if failure:
                return Summary(run_id="r", status="failed", error=failure, seconds=seconds)
            ledger = Ledger(tmp_path / LEDGER_FILE)
            values = {key.replace("__", "."): value for key, value in best.items()}
            record = ledger.begin(values, 4)
            record.status, record.score = "completed", 0.9
            ledger.write()
            write_best(tmp_path / BEST_FILE, config.search, ledger, str(tmp_path))
            return Summary(
                run_id="r",
                status="partial",
                tuner_results=str(tmp_path),
                best_hyperparameters=str(tmp_path),
                seconds=seconds,
            )

        monkeypatch.setattr(search_module, "run_pipeline", run_pipeline)
        args = argparse.Namespace(
            config=file, workspace=Path("w"), overrides=[], write=Path("out.yaml"), json=as_json
        )
        code = search_module.search(Preflight(config, None, Path()), args)
        assert code == bool(failure)
        printed = capsys.readouterr()
        if as_json:
            assert json.loads(printed.out)["best"]["values"]
        return printed.err if failure or as_json else printed.out

    return run


def test_the_config_with_the_best_values_is_written(search):
    printed = search(trainer__epochs=20, trainer__warmup_epochs=0.5)
    assert "Config with them: out.yaml\nNext: " in printed
    config = load_config(Path("out.yaml"), environ={})
    assert (config.trainer.epochs, config.trainer.warmup_epochs) == (20, 0.5)
    assert len(config.search.space) == 2
    assert "epochs: 20  # many" in Path("out.yaml").read_text()


def test_files_among_the_best_values_are_relative_to_the_config(search, tmp_path):
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "net.py").write_text("def build(): ...")
    printed = search(trainer__model=f"{tmp_path}/nets/net.py:build")
    assert "\ntrainer: {model: 'nets/net.py:build'}\n" in printed
    assert "  model: nets/net.py:build\n" in Path("out.yaml").read_text()
    assert load_config(Path("out.yaml"), environ={}).trainer.users_model().file.is_file()


def test_a_space_that_does_not_go_with_the_best_values_is_emptied(search):
    printed = search(trainer__epochs=20, trainer__warmup_epochs=5.0)
    assert "search.space is empty in it: some of its values do not go with the best" in printed
    config = load_config(Path("out.yaml"), environ={})
    assert (config.trainer.warmup_epochs, config.search.space) == (5.0, {})


def test_scripts_read_of_an_emptied_space_on_standard_error(search):
    note = "imgpipe: out.yaml: search.space is empty in it: some of its values do not go with"
    assert note in search(as_json=True, trainer__epochs=20, trainer__warmup_epochs=5.0)


def test_a_config_that_would_not_be_valid_is_not_written(search, capsys):
    with pytest.raises(ConfigError) as raised:
        search(trainer__epochs=4, trainer__warmup_epochs=5.0)
    first, *others = raised.value.problems
    assert first.startswith("--write: expected a valid config with the best values in place, so ")
    assert "out.yaml:4: trainer.warmup_epochs: expected less than trainer.epochs (4)" in others[0]
    assert not Path("out.yaml").exists()
    assert "0.9000 in trial 1 of 1" in capsys.readouterr().out  # the search was not for nothing


def test_what_cannot_be_put_in_place_is_refused_before_anything_is_searched(search):
    shared = "name: x\ndata: {root: photos}\nbeam: &both {}\ntrainer: *both\nsearch:\n  space:\n"
    with pytest.raises(ConfigError, match="without changing other keys"):
        search(shared + "    trainer.epochs: [4, 20]\n", failure="nothing is to run")


def test_a_place_that_cannot_be_written_is_a_sentence(search, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(best_config, "write_whole", full)
    with pytest.raises(InputError, match=r"--write: out\.yaml cannot be written \(No space left"):
        search(trainer__epochs=20, trainer__warmup_epochs=0.5)


def test_a_search_that_failed_names_the_log_of_its_run(search, tmp_path):
    assert search(failure="Tuner: each of the 2 trials failed: so.").splitlines() == [
        "imgpipe: Tuner: each of the 2 trials failed: so.",
        f"imgpipe: Log: {tmp_path}/w/runs/r/run.log",
    ]
