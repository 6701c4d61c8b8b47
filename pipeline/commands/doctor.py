"""`imgpipe doctor`: shows what the machine has, what a run will use of it, and the problems."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from contracts.config.data import DataConfig
from contracts.config.loading.loader import load_config
from contracts.config.pipeline_config import PipelineConfig
from contracts.environment.cluster import TF_CONFIG
from contracts.environment.keras_environment import TENSORFLOW
from contracts.system.errors import ConfigError
from pipeline.cli import DEFAULT_CONFIG, EXIT_WRONG_INPUT
from pipeline.commands.next_command import next_command
from pipeline.doctor.devices import backend_findings, query_driver, training_finding
from pipeline.doctor.findings import Finding, has_problem, problem, problem_from
from pipeline.doctor.machine import nvidia_cards
from pipeline.doctor.machine_findings import machine_findings
from pipeline.doctor.probe import probe
from pipeline.doctor.software import software_findings
from pipeline.doctor.stores import mlflow_finding
from pipeline.preflight.workspace_checks import unusable_path
from pipeline.workspace import Workspace

STYLES: Final = {"ok": "green", "warning": "yellow", "problem": "bold red"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare nothing: the common options are enough."""


def run(args: argparse.Namespace) -> int:
    """Print every finding; 2 where one would stop a run."""
    found = diagnose(args)
    if args.json:
        print(json.dumps([asdict(finding) for finding in found], indent=1, ensure_ascii=False))
    else:
        _print(found)
    return EXIT_WRONG_INPUT if has_problem(found) else 0


def diagnose(args: argparse.Namespace) -> list[Finding]:
    """Return a finding on everything that a run needs; works without a config too."""
    workspace: Path = args.workspace
    config, about_config = _config(args)
    probed = probe(config.trainer.precision)
    gpus = len(probed.gpus)
    mlflow_db = Workspace(workspace.resolve()).mlflow_db
    return [
        *about_config,
        *machine_findings(workspace, config.beam, gpus),
        *(problem_from("workspace", sentence) for sentence in unusable_path(workspace)),
        *software_findings(config),
        *backend_findings(probed, query_driver(), nvidia_cards()),
        training_finding(
            config.trainer.devices, gpus, os.environ.get(TF_CONFIG), probed.backend or TENSORFLOW
        ),
        Finding("beam runner", config.beam.runner),
        mlflow_finding(config.tracking.mlflow.uri, mlflow_db),
    ]


def _config(args: argparse.Namespace) -> tuple[PipelineConfig, list[Finding]]:
    """Return the config, or the defaults where there is none or a wrong one."""
    file: Path = args.config
    defaults = PipelineConfig(name="none", data=DataConfig(root=Path("/")))
    if file == DEFAULT_CONFIG and not file.exists() and not args.overrides:
        return defaults, [Finding("config", f"no {file} here: the defaults are assumed")]
    try:
        return load_config(file, args.overrides, needs_data=False), [Finding("config", str(file))]
    except ConfigError as error:
        step = f"Correct it; `{next_command('check', args)}` checks the data too."
        return defaults, [problem("config", sentence, step) for sentence in error.problems]


def _print(found: Sequence[Finding]) -> None:
    from rich.text import Text

    from pipeline.summary_table import console_on

    console = console_on(sys.stdout)
    width = max(len(finding.name) for finding in found)
    for finding in found:
        line = Text(finding.state.ljust(9), style=STYLES[finding.state])
        line.append(finding.name.ljust(width + 2), style="dim").append(finding.text, "not dim")
        console.print(line, soft_wrap=True)
        if finding.next_step:
            console.print(Text(f"{'':9}{'':{width + 2}}-> {finding.next_step}"), soft_wrap=True)
