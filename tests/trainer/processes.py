"""Trainings in processes of their own: with another backend, or on several machines."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Final

JAX: Final = {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}

# As on a machine that has none.
WITHOUT_TENSORFLOW: Final = """\
import sys
class Absent:
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in ("tensorflow", "tfx"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent)
"""
MAIN: Final = "import runpy; runpy.run_module('trainer', run_name='__main__', alter_sys=True)"


def started(
    *words: object, code: str = "", program: str = MAIN, **variables: str
) -> subprocess.Popen:
    """Start a Python with `code`, then the program (`python -m trainer`) on these words."""
    return subprocess.Popen(
        [sys.executable, "-c", code + program, *map(str, words)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(process: subprocess.Popen) -> str:
    """Return what it printed, once it has ended well."""
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err[-3000:]
    return out


def free_ports(count: int) -> list[int]:
    """Return ports of this machine that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
