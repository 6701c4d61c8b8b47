"""Launches the components of a plan; importing this module imports TensorFlow and TFX."""

import logging
import time
from pathlib import Path
from typing import Any

from tfx.orchestration.pipeline import Pipeline

from contracts.artifacts.data_blessing import read_verdict
from contracts.system.errors import ComponentError
from contracts.system.full_disk import is_disk_full
from pipeline.component_ids import COMPONENTS_AND_TUNER, IMAGE_VALIDATOR
from pipeline.graph import build_pipeline
from pipeline.local.launching.dag import run_dag
from pipeline.local.launching.failure import sentence
from pipeline.local.launching.launches import ComponentFailed, LaunchedComponent
from pipeline.local.launching.records import Records
from pipeline.local.outcome import Outcome
from pipeline.local.patches.beam_state_cache import without_state_cache
from pipeline.local.patches.command_line import without_options
from pipeline.local.patches.tfx_cache_context import portable_cache_keys
from pipeline.local.plan import Plan
from pipeline.local.terminal import START, Terminal
from pipeline.registry import find_champion, identity_of, registry_stamp
from pipeline.report import data_page
from pipeline.report.page import PAGE_FILE, write_pages
from pipeline.run_context import RunContext
from pipeline.summary import ComponentSummary, SecondsSummary, Summary
from trainer.keras_settings import prepare_keras

LOGGER = logging.getLogger(__name__)


def execute(plan: Plan, terminal: Terminal) -> Summary:
    """Run the DAG, write its summary and report, also of a run that failed, and return it.

    Raises:
      Exception: whatever a component raised because the disk is full.
    """
    # Before the first component: once TensorFlow has taken a GPU it can no longer be told.
    prepare_keras()
    workspace = plan.workspace
    records = Records(workspace.metadata_db)
    records.relocate(workspace.root)
    records.cancel_unfinished(workspace.pipeline_root)
    pipeline = build_pipeline(plan.config, _run_context(plan, records), plan.to)
    terminal.shows(component.id for component in pipeline.components)
    start_s = time.monotonic() - plan.began_s
    terminal.ended(START, ComponentSummary(state="done", seconds=start_s, cached=False, why=""))
    outcome = Outcome()
    try:
        with portable_cache_keys(plan.folders), without_options(), without_state_cache():
            components = _launch(pipeline, plan, records, terminal, outcome)
    except KeyboardInterrupt:
        records.cancel_unfinished(workspace.pipeline_root)
        raise
    failed = [one.why for one in components.values() if one.state == "failed"]
    data = outcome.data
    if data.manifest:
        data = data.model_copy(update={"page": str(plan.folder / data_page.PAGE_FILE)})
    summary = Summary(
        run_id=plan.folder.name,
        status=_status(bool(failed), outcome),
        error=failed[0] if failed else None,
        data=data,
        augmentation=outcome.augmentation,
        metrics=outcome.metrics,
        gate=outcome.gate,
        trained_in=outcome.trained_in,
        tracked=outcome.tracked,
        pushed_version=outcome.pushed_version,
        pushed_path=outcome.pushed_path,
        **outcome.search,
        **_champion_afterwards(plan),
        registry_stamp=registry_stamp(workspace, plan.config),
        report=str(plan.folder / PAGE_FILE),
        key=plan.key,
        workspace=str(workspace.root),
        components=components,
        seconds=SecondsSummary(total=time.monotonic() - plan.began_s, start=start_s),
    )
    summary.write(plan.folder)
    written = write_pages(summary, outcome.uris, plan.data_root)
    if written != summary:
        written.write(plan.folder)
    return written


def _champion_afterwards(plan: Plan) -> dict[str, Any]:
    """Return the summary's keys on the champion; "unknown", which none is, where nobody answers."""
    try:
        champion = find_champion(plan.workspace, plan.config, plan.to)
    except ComponentError:
        LOGGER.exception("the registry did not answer after the run")
        return {"champion": "unknown"}
    return {
        "champion": identity_of(champion),
        "champion_version": champion and champion.version,
    }


def _launch(
    pipeline: Pipeline, plan: Plan, records: Records, terminal: Terminal, outcome: Outcome
) -> dict[str, ComponentSummary]:
    """Launch the components and collect what they give, up to the one that fails."""
    components: dict[str, ComponentSummary] = {}
    try:
        for launched in run_dag(pipeline, plan.folder.name, records, terminal):
            components[launched.name] = launched.summary
            _add_outputs(launched, records, outcome)
    except ComponentFailed as failed:
        if is_disk_full(failed):
            raise
        for one in (failed, *failed.other_failures):
            components[one.name] = one.summary
            if one.execution_id is not None:
                outcome.add(one.name, records.outputs(one.execution_id))
    return {name: components[name] for name in COMPONENTS_AND_TUNER if name in components}


def _add_outputs(launched: LaunchedComponent, records: Records, outcome: Outcome) -> None:
    try:
        outcome.add(launched.name, records.outputs(launched.execution_id))
    except (OSError, ValueError) as error:
        LOGGER.exception("%s: its output cannot be read", launched.name)
        why = f"its output cannot be read: {sentence(error)}"
        failed = launched.summary.model_copy(update={"state": "failed", "why": why})
        raise ComponentFailed(launched.name, failed) from error


def _run_context(plan: Plan, records: Records) -> RunContext:
    workspace, config = plan.workspace, plan.config
    return RunContext(
        pipeline_root=str(workspace.pipeline_root),
        metadata_db=str(workspace.metadata_db),
        serving=str(workspace.serving(config.name)),
        tracking=workspace.tracking_plan(config),
        checkpoints=str(workspace.checkpoints),
        data_listing=plan.listing_digest,
        champion=plan.champion,
        accepted_statistics=_accepted_statistics(plan, records),
        curated_schema=str(plan.curated_schema) if plan.curated_schema else None,
        searches=str(workspace.searches),
        config_folder=str(plan.config_folder),
    )


def _accepted_statistics(plan: Plan, records: Records) -> str:
    """Return where the statistics of the last accepted data lie that is not this data.

    A run over unchanged data so has the same one as the run before it.
    """
    for artifacts in records.past_artifacts(plan.config.name, IMAGE_VALIDATOR):
        try:
            blessing = read_verdict(artifacts["blessing"].uri)
        except (OSError, ValueError, TypeError):
            continue  # it was removed, or is of another version
        is_other = blessing.listing_digest != plan.listing_digest
        statistics = artifacts["statistics"].uri
        if blessing.blessed and is_other and Path(statistics).is_dir():
            return statistics
    return ""


def _status(failed: bool, outcome: Outcome) -> str:
    if failed:
        return "failed"
    if outcome.gate.reasons:
        return "blessed" if outcome.gate.blessed else "not_blessed"
    return "partial"
