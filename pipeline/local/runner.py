"""One run of the pipeline on this machine, from the checked config to the summary.

TensorFlow and TFX are imported only once it is known that there is something to do.
"""

import time
from pathlib import Path

from contracts.system.errors import WorkspaceError
from contracts.system.full_disk import is_disk_full
from pipeline.component_ids import COMPONENTS
from pipeline.curated_schema import copied_schema
from pipeline.local.images import Images
from pipeline.local.output import output_in
from pipeline.local.plan import Plan
from pipeline.local.quick_imports import quick_imports
from pipeline.local.reuse import reused, run_key, unchanged_since
from pipeline.local.terminal import START, Terminal
from pipeline.preflight import Preflight
from pipeline.registry import find_champion, identity_of, require_loadable
from pipeline.summary import LOG_FILE, Summary
from pipeline.workspace import Workspace, opened_for_run


def run_pipeline(checked: Preflight, workspace: Path, to: str | None = None) -> Summary:
    """Run the DAG, whole or up to the component `to`, and return what the run leaves behind.

    A component that fails is a summary with status `failed`, not an exception.

    Raises:
      WorkspaceError: the workspace cannot be written, is in use, or the disk is full.
      KeyboardInterrupt: the user stopped the run; the next one can use the workspace.
    """
    with opened_for_run(workspace) as opened:
        try:
            folder = opened.new_run()
            with (
                output_in(folder / LOG_FILE) as stream,
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
    """Reuse the last run where nothing changed since, else launch the components."""
    began_s = time.monotonic()
    config, folders = checked.config, (workspace.root, checked.folder)
    if to is None:
        terminal.shows(COMPONENTS)
    terminal.began(START, "looking for what has changed")
    images = Images(checked, workspace)
    named = config.data.schema_path
    schema = copied_schema(workspace, named) if named else None
    if not images.are_new:
        key = run_key(config, folders, images.listing_digest(), schema, to)
        last = unchanged_since(workspace, config, key, to)
        if last is not None:
            summary = reused(last, folder.name, time.monotonic() - began_s, terminal)
            summary.write(folder)
            return summary
    terminal.began(START, "importing TensorFlow and TFX")
    with images.ingested_meanwhile() as ahead:
        with quick_imports():
            from pipeline.local.execution import execute

            champion = find_champion(workspace, config, to)
            require_loadable(champion)
        digest = images.listing_digest_after(ahead)
        images.forget()
        plan = Plan(
            config=config,
            config_folder=checked.folder,
            workspace=workspace,
            folder=folder,
            data_root=images.root,
            listing_digest=digest,
            champion=identity_of(champion),
            curated_schema=schema,
            to=to,
            key=run_key(config, folders, digest, schema, to),
            began_s=began_s,
        )
        return execute(plan, terminal)
