"""A deferred module works like an imported one."""

import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.local import quick_imports as module
from pipeline.local.quick_imports import quick_imports


@pytest.fixture
def deferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Defer the package `waits`; it writes a file when its code runs."""
    package = tmp_path / "waits"
    package.mkdir()
    (package / "__init__.py").write_text(
        f"import pathlib\npathlib.Path({str(tmp_path / 'ran')!r}).write_text('')\nvalue = 7\n"
    )
    (package / "below.py").write_text("value = 8\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(module, "DEFERRED", frozenset({"waits", "is_not_installed"}))
    yield tmp_path / "ran"
    for name in ("waits", "waits.below"):
        sys.modules.pop(name, None)


def test_it_runs_at_the_first_access_and_its_submodules_do_not_wait(deferred):
    with quick_imports():
        import waits
        import waits.below as same
        from waits import below
    assert below is same
    assert below.value == 8
    assert not deferred.exists()
    assert waits.value == 7
    assert deferred.exists()
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = waits.no_such_name


def test_what_could_not_run_its_code_tries_again(deferred):
    with quick_imports():
        import waits
    code = Path(waits.__spec__.origin)
    sound = code.read_text()
    code.write_text("raise RuntimeError('a deadlock, say')\n")
    with pytest.raises(RuntimeError, match="a deadlock"):
        _ = waits.value
    code.write_text(f"{sound}# of another length, so that no cached code is taken\n")
    assert waits.value == 7


def test_what_is_not_installed_is_still_an_import_error(deferred):
    with quick_imports(), pytest.raises(ModuleNotFoundError):
        import is_not_installed  # noqa: F401


def test_the_garbage_collector_is_back_whatever_happens(deferred):
    with pytest.raises(RuntimeError), quick_imports():
        assert not gc.isenabled()
        raise RuntimeError
    assert gc.isenabled()


def test_a_run_does_not_import_what_it_never_uses():
    code = (
        "import sys; from pipeline.local.quick_imports import quick_imports\n"
        "with quick_imports():\n    import pipeline.local.execution\n"
        "print([name for name in ('kubernetes', 'nltk', 'tf_keras', 'tensorflow_transform',\n"
        "    'tensorflow_model_analysis.api', 'IPython.terminal', 'google.cloud.aiplatform',\n"
        "    'google.cloud.bigquery_storage_v1.client', 'google.pubsub_v1')\n"
        "    if name in sys.modules])\n"
    )
    # Model Analysis, imported by another test, asks for the older Keras in the environment.
    env = {name: value for name, value in os.environ.items() if name != "TF_USE_LEGACY_KERAS"}
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env
    )
    assert run.stdout.splitlines()[-1] == "[]"
