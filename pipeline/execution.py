"""Launches the components of a plan; importing this module imports TensorFlow and TFX."""

import time

from tfx.orchestration.pipeline import Pipeline

from components.model_registry import ModelRegistry
from pipeline.dag import ComponentFailed, run_dag
from pipeline.failure import is_disk_full
from pipeline.graph import Surroundings, build_pipeline
from pipeline.outcome import Outcome
from pipeline.plan import Plan
from pipeline.records import Records
from pipeline.report.page import PAGE_FILE, write_page
from pipeline.summary import ComponentSummary, SecondsSummary, Summary
from pipeline.terminal import START, Terminal


def execute(plan: Plan, terminal: Terminal) -> Summary:
    """Run the DAG, write its summary and report, also of a run that failed, and return it.

    Raises:
      Exception: whatever a component raised because the disk is full.
    """
    workspace = plan.workspace
    records = Records(workspace.metadata_db)
    records.cancel_unfinished(workspace.pipeline_root)
    pipeline = build_pipeline(plan.config, _surroundings(plan), plan.to)
    start_s = time.monotonic() - plan.began_s
    terminal.ended(START, ComponentSummary(state="done", seconds=start_s, cached=False, why=""))
    outcome = Outcome(plan.fingerprint)
    try:
        components = _launch(pipeline, plan, records, terminal, outcome)
    except KeyboardInterrupt:
        records.cancel_unfinished(workspace.pipeline_root)
        raise
    failed = [one.why for one in components.values() if one.state == "failed"]
    champion = ModelRegistry(workspace.tracking_store(plan.config)).champion()
    summary = Summary(
        run_id=plan.folder.name,
        status=_status(bool(failed), outcome),
        error=failed[0] if failed else None,
        data=outcome.data,
        metrics=outcome.metrics,
        gate=outcome.gate,
        pushed_version=outcome.pushed_version,
        pushed_path=outcome.pushed_path,
        champion_version=champion.version if champion else 0,
        report=str(plan.folder / PAGE_FILE),
        key=plan.key,
        components=components,
        seconds=SecondsSummary(total=time.monotonic() - plan.began_s, start=start_s),
    )
    summary.write(plan.folder)
    write_page(summary, outcome.uris, plan.data_root)
    return summary


def _launch(
    pipeline: Pipeline, plan: Plan, records: Records, terminal: Terminal, outcome: Outcome
) -> dict[str, ComponentSummary]:
    """Launch the components and collect what they give, up to the one that fails."""
    components: dict[str, ComponentSummary] = {}
    try:
        for launched in run_dag(pipeline, plan.folder.name, records, terminal):
            components[launched.name] = launched.summary
            outcome.add(launched.name, records.outputs(launched.execution_id))
    except ComponentFailed as failed:
        if is_disk_full(failed):
            raise
        components[failed.name] = failed.summary
    return components


def _surroundings(plan: Plan) -> Surroundings:
    workspace, config = plan.workspace, plan.config
    return Surroundings(
        pipeline_root=str(workspace.pipeline_root),
        metadata_db=str(workspace.metadata_db),
        serving=str(workspace.serving(config.name)),
        store=workspace.tracking_store(config),
        data_fingerprint=plan.fingerprint,
        champion_version=plan.champion_version,
        curated_schema=str(plan.curated_schema) if plan.curated_schema else None,
    )


def _status(failed: bool, outcome: Outcome) -> str:
    if failed:
        return "failed"
    if outcome.gate.reasons:
        return "blessed" if outcome.gate.blessed else "not_blessed"
    return "partial"
