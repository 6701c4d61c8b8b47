"""A Python that is started finds what this one finds, whatever lies in the working directory."""

import json
import subprocess
import sys

from contracts.environment.own_packages import PACKAGES, ROOT, python_command

CODE = "import sys, json, trainer; print(json.dumps([trainer.__file__, sys.path, sys.argv[1:]]))"


def test_the_working_directory_is_passed_over(tmp_path, monkeypatch):
    for name in (*PACKAGES, "json"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('the one of the user')")
    there = tmp_path / "modules"
    there.mkdir()
    (there / "trainer.py").write_text("raise RuntimeError('one in PYTHONPATH')")
    monkeypatch.setattr(sys, "path", ["", str(there), *sys.path])
    ran = subprocess.run(
        [*python_command(CODE), "word"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    file, path, words = json.loads(ran.stdout)
    assert file.startswith(ROOT)
    assert path == sys.path[1:]
    assert words == ["word"]
