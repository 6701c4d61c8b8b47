"""Launches the components of a plan; importing this module imports TensorFlow and TFX."""

import logging
import time
from pathlib import Path
from typing import Literal

from tfx.orchestration.pipeline import Pipeline

from contracts.artifacts.data_blessing import read_verdict
from contracts.system.errors import ComponentError
from contracts.system.full_disk import is_disk_full
from pipeline.component_ids import COMPONENTS_AND_TUNER, IMAGE_VALIDATOR
from pipeline.graph import build_pipeline
from pipeline.local.launching.component_launcher import ComponentFailed, LaunchedComponent
from pipeline.local.launching.dag import run_dag
from pipeline.local.launching.execution_records import ExecutionRecords
from pipeline.local.launching.failure import failure_sentence
from pipeline.local.patches.beam_state_cache import without_state_cache
from pipeline.local.patches.command_line import without_options
from pipeline.local.patches.tfx_cache_context import portable_cache_keys
from pipeline.local.run_outcome import RunOutcome
from pipeline.local.run_plan import RunPlan
from pipeline.local.terminal import START, Terminal
from pipeline.report import data_page
from pipeline.report.page import PAGE_FILE, write_pages
from pipeline.run_context import RunContext
from pipeline.summary import ComponentSummary, DataSummary, SecondsSummary, Summary
from pipeline.workspace_registry import find_champion, identity_of, registry_stamp
from trainer.keras_settings import prepare_keras

LOGGER = logging.getLogger(__name__)


def execute(plan: RunPlan, terminal: Terminal) -> Summary:
    """Run the DAG, write its summary and report, also of a run that failed, and return it.

    Raises:
      Exception: the exception of a component that found the disk full.
    """
    # Before the first component: once TensorFlow has taken a GPU, its settings are fixed.
    prepare_keras()
    workspace = plan.workspace
    records = ExecutionRecords(workspace.metadata_db)
    records.relocate(workspace.root)
    records.cancel_unfinished(workspace.pipeline_root)
    pipeline = build_pipeline(plan.config, _run_context(plan, records), plan.to)
    terminal.show_waiting(component.id for component in pipeline.components)
    start_s = time.monotonic() - plan.began_s
    terminal.show_end(START, ComponentSummary(state="done", seconds=start_s, cached=False, why=""))
    outcome = RunOutcome()
    try:
        with portable_cache_keys(plan.folders), without_options(), without_state_cache():
            components = _launch(pipeline, plan, records, terminal, outcome)
    except KeyboardInterrupt:
        records.cancel_unfinished(workspace.pipeline_root)
        raise
    summary = _summary(plan, outcome, components, start_s)
    summary.write(plan.folder)
    written = write_pages(summary, outcome.uris, plan.data_root)
    if written != summary:
        written.write(plan.folder)
    return written


def _launch(
    pipeline: Pipeline,
    plan: RunPlan,
    records: ExecutionRecords,
    terminal: Terminal,
    outcome: RunOutcome,
) -> dict[str, ComponentSummary]:
    """Launch the components, up to one that fails, and add their outputs to the outcome."""
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


def _add_outputs(
    launched: LaunchedComponent, records: ExecutionRecords, outcome: RunOutcome
) -> None:
    try:
        outcome.add(launched.name, records.outputs(launched.execution_id))
    except (OSError, ValueError) as error:
        LOGGER.exception("%s: its output cannot be read", launched.name)
        why = f"its output cannot be read: {failure_sentence(error)}"
        failed = launched.summary.model_copy(update={"state": "failed", "why": why})
        raise ComponentFailed(launched.name, failed) from error


def _summary(
    plan: RunPlan, outcome: RunOutcome, components: dict[str, ComponentSummary], start_s: float
) -> Summary:
    """Return the summary of a run whose pages are not written yet."""
    failures = [one.why for one in components.values() if one.state == "failed"]
    champion, champion_version = _champion_afterwards(plan)
    return Summary(
        run_id=plan.folder.name,
        status=_status(bool(failures), outcome),
        error=failures[0] if failures else None,
        data=_with_page(outcome.data, plan.folder),
        augmentation=outcome.augmentation,
        metrics=outcome.metrics,
        gate=outcome.gate,
        trained_in=outcome.trained_in,
        tracked=outcome.tracked,
        pushed_version=outcome.pushed_version,
        pushed_path=outcome.pushed_path,
        best_hyperparameters=outcome.best_hyperparameters,
        tuner_results=outcome.tuner_results,
        champion=champion,
        champion_version=champion_version,
        registry_stamp=registry_stamp(plan.workspace, plan.config),
        report=str(plan.folder / PAGE_FILE),
        key=plan.key,
        workspace=str(plan.workspace.root),
        components=components,
        seconds=SecondsSummary(total=time.monotonic() - plan.began_s, start=start_s),
    )


def _with_page(data: DataSummary, folder: Path) -> DataSummary:
    if not data.manifest:
        return data
    return data.model_copy(update={"page": str(folder / data_page.PAGE_FILE)})


def _status(
    has_failed: bool, outcome: RunOutcome
) -> Literal["blessed", "not_blessed", "failed", "partial"]:
    if has_failed:
        return "failed"
    if outcome.gate.reasons:
        return "blessed" if outcome.gate.blessed else "not_blessed"
    return "partial"


def _champion_afterwards(plan: RunPlan) -> tuple[str, int | None]:
    """Return identity and version of the champion; "unknown" where the registry does not answer.

    No champion has that identity, so that the next run asks again.
    """
    try:
        champion = find_champion(plan.workspace, plan.config, plan.to)
    except ComponentError:
        LOGGER.exception("the registry did not answer after the run")
        return "unknown", None
    return identity_of(champion), champion.version if champion else None


def _run_context(plan: RunPlan, records: ExecutionRecords) -> RunContext:
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
        config_folder=str(plan.checked.folder),
        prepared_ingestion=str(workspace.early_ingestion),
    )


def _accepted_statistics(plan: RunPlan, records: ExecutionRecords) -> str:
    """Return the folder with the statistics of the last accepted data other than this data.

    So a run on unchanged data compares it with the same statistics as the run before.
    """
    for artifacts in records.past_artifacts(plan.config.name, IMAGE_VALIDATOR):
        try:
            blessing = read_verdict(artifacts["blessing"].uri)
        except (OSError, ValueError, TypeError):
            continue  # it was removed, or another version of imgpipe wrote it
        is_other = blessing.listing_digest != plan.listing_digest
        statistics = str(artifacts["statistics"].uri)
        if blessing.blessed and is_other and Path(statistics).is_dir():
            return statistics
    return ""
