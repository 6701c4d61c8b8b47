"""`imgpipe sweep --search`: the DAG up to the Tuner, and its best values for the user to take."""

import argparse
import json
import sys
from pathlib import Path

from rich.table import Table
from rich.text import Text

from contracts.errors import InputError
from contracts.load import load_config
from contracts.whole_files import write_whole
from pipeline.commands.following import following, short
from pipeline.preflight import Preflight
from pipeline.runner import run_pipeline
from pipeline.summary import TUNER, Summary
from pipeline.summary_table import console_on, tell_failure
from pipeline.yaml_editing import with_values_in_place
from trainer.search.best import BEST_FILE
from trainer.search.ledger import LEDGER_FILE, Ledger, TrialRecord

TRIALS_SHOWN = 10


def search(checked: Preflight, args: argparse.Namespace) -> int:
    """Search, show the best trials, and write what was asked for.

    Raises:
      InputError: there is nothing to search, or `--write` names a place that does not do.
    """
    if not checked.config.search.space:
        raise InputError(
            f"{args.config}: search.space: expected keys and their values, such as "
            "`trainer.learning_rate: {low: 1.0e-4, high: 1.0e-2, scale: log}`, received none."
        )
    if args.write is not None:
        _require_place(args.write, args.config)
    summary = run_pipeline(checked, args.workspace, TUNER)
    if summary.status == "failed":
        return tell_failure(summary, args.workspace)
    ledger = Ledger(Path(summary.tuner_results, LEDGER_FILE))
    best = ledger.best(checked.config.search.objective)
    assert best is not None  # or the Tuner would have failed
    if args.write is not None:
        _write(args.write, args.config, best)
    _print(checked, summary, ledger, args)
    return 0


def _require_place(target: Path, config: Path) -> None:
    problems = []
    if target.exists():
        problems.append(f"--write: expected nothing at {target}, found a file. Name another.")
    if target.resolve().parent != config.resolve().parent:
        problems.append(
            f"--write: expected a file beside {config}, whose relative paths it keeps, received "
            f"{target}."
        )
    if problems:
        raise InputError(problems)


def _write(target: Path, config: Path, best: TrialRecord) -> None:
    text = with_values_in_place(config.read_text(encoding="utf-8-sig"), best.values)
    write_whole(target, text)
    load_config(target, needs_data=False)


def _print(checked: Preflight, summary: Summary, ledger: Ledger, args: argparse.Namespace) -> None:
    objective = checked.config.search.objective
    best = ledger.best(objective)
    best_yaml = Path(summary.best_hyperparameters, BEST_FILE)
    if args.json:
        told = {
            "objective": objective,
            "best": {"values": best.values, "score": best.score, "epochs": best.epochs},
            "best_yaml": str(best_yaml),
            "trials": [
                {"values": one.values, "epochs": one.epochs, "score": one.score, "why": one.why}
                for one in ledger
            ],
        }
        print(json.dumps(told, indent=1, ensure_ascii=False))
        return
    _print_trials(ledger, objective)
    print(f"\n{best_yaml.read_text(encoding='utf-8')}\nBest values: {short(best_yaml)}")
    if args.write is not None:
        told_args = argparse.Namespace(**{**vars(args), "config": args.write})
        print(f"Config with them: {args.write}\nNext: {following('run', told_args)}")
    else:
        print("`--write FILE` writes the whole config with them in place.")


def _print_trials(ledger: Ledger, objective: str) -> None:
    trials = list(enumerate(ledger, start=1))
    scored = [one for one in trials if one[1].score is not None]
    scored.sort(key=lambda one: one[1].score, reverse=not objective.endswith("loss"))
    failed = [one for one in trials if one[1].score is None]
    keys = list(trials[0][1].values)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("trial", objective, "epochs"):
        table.add_column(column, justify="right", no_wrap=True)
    for key in keys:
        table.add_column(key.rpartition(".")[2], overflow="fold")
    for number, one in [*scored, *failed][:TRIALS_SHOWN]:
        score = Text("failed", style="red") if one.score is None else f"{one.score:.4f}"
        values = (Text(_shown(one.values[key])) for key in keys)
        table.add_row(f"{number}", score, f"{one.epochs}", *values)
    console = console_on(sys.stdout)
    console.print()
    console.print(table)
    for number, one in failed[:3]:
        console.print(f"Failed, trial {number}: {one.why}", markup=False, soft_wrap=True)


def _shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else json.dumps(value)
