"""One run of the pipeline on this machine, from the checked config to the summary.

TensorFlow and TFX are imported only when there is something to do.
"""

import time
from pathlib import Path

from contracts.system.errors import WorkspaceError
from contracts.system.full_disk import is_disk_full
from pipeline.component_ids import COMPONENTS
from pipeline.local.output_redirection import output_redirected_to
from pipeline.local.quick_imports import quick_imports
from pipeline.local.reuse import repeated_summary, run_key, unchanged_since
from pipeline.local.run_images import RunImages
from pipeline.local.run_plan import RunPlan
from pipeline.local.terminal import START, Terminal
from pipeline.preflight.curated_schema import copy_schema
from pipeline.preflight.preflight import Preflight
from pipeline.summary import LOG_FILE, Summary
from pipeline.workspace import Workspace, opened_for_run
from pipeline.workspace_registry import find_champion, identity_of, require_loadable


def run_pipeline(checked: Preflight, workspace: Path, to: str | None = None) -> Summary:
    """Run the DAG, whole or up to the component `to`, and return the summary of the run.

    Where a component fails, the summary has the status `failed`: it is no exception.

    Raises:
      WorkspaceError: the workspace cannot be written, is in use, or the disk is full.
      KeyboardInterrupt: the user stopped the run; the next one can use the workspace.
    """
    with opened_for_run(workspace) as opened:
        try:
            folder = opened.new_run()
            with (
                output_redirected_to(folder / LOG_FILE) as stream,
                Terminal(stream).showing() as terminal,
            ):
                return _run(checked, opened, folder, to, terminal)
        except Exception as error:
            if not is_disk_full(error):
                raise
            raise WorkspaceError(
                f"{opened.root}: no space left on the disk. Free some, or name another folder "
                "with --workspace; what is finished is used again."
            ) from error


def _run(
    checked: Preflight, workspace: Workspace, folder: Path, to: str | None, terminal: Terminal
) -> Summary:
    """Return the last run's summary where nothing has changed since, else launch the components."""
    began_s = time.monotonic()
    config, folders = checked.config, (workspace.root, checked.folder)
    if to is None:
        terminal.show_waiting(COMPONENTS)
    terminal.show_start(START, "looking for what has changed")
    images = RunImages(checked, workspace)
    schema = copy_schema(workspace, config.data.schema_path)
    if not images.are_new:
        key = run_key(config, folders, images.listing_digest(), schema, to)
        last = unchanged_since(workspace, config, key, to)
        if last is not None:
            summary = repeated_summary(last, folder.name, time.monotonic() - began_s, terminal)
            summary.write(folder)
            return summary
    terminal.show_start(START, "importing TensorFlow and TFX")
    with images.ingested_during() as ingestion:
        with quick_imports():
            from pipeline.local.execution import execute

            champion = find_champion(workspace, config, to)
            require_loadable(champion)
        digest = images.listing_digest_after(ingestion)
        images.free()
        plan = RunPlan(
            checked=checked,
            workspace=workspace,
            folder=folder,
            listing_digest=digest,
            champion=identity_of(champion),
            curated_schema=schema,
            to=to,
            key=run_key(config, folders, digest, schema, to),
            began_s=began_s,
        )
        return execute(plan, terminal)
