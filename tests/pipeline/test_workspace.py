"""A workspace: one run at a time, in a folder that can be written."""

import subprocess
import sys

import pytest

from contracts.system.errors import WorkspaceError
from pipeline.workspace import Workspace, opened_for_run


def test_it_is_made_where_it_is_missing(tmp_path):
    with opened_for_run(tmp_path / "a" / "b") as workspace:
        assert workspace.new_run().is_dir()


def test_only_one_run_at_a_time_whatever_the_process(tmp_path):
    code = (
        "import sys; from pathlib import Path; from pipeline.workspace import opened_for_run\n"
        "with opened_for_run(Path(sys.argv[1])): print('in', flush=True); sys.stdin.read()\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout.readline() == "in\n"
    with (
        pytest.raises(WorkspaceError, match=f"another run .*process {other.pid}"),
        opened_for_run(tmp_path),
    ):
        pass
    other.kill()
    other.wait()
    with opened_for_run(tmp_path) as workspace:
        assert workspace.root == tmp_path


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(WorkspaceError, match="expected a folder that can be written"),
        opened_for_run(tmp_path / "file"),
    ):
        pass


def test_runs_in_one_second_have_names_of_their_own_in_order(tmp_path):
    workspace = Workspace(tmp_path)
    made = [workspace.new_run().name for _ in range(12)]
    assert workspace.run_ids() == made
