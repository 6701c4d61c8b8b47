"""Trainings in processes of their own: with another backend, or on several machines."""

import importlib.util
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Final

import h5py
import numpy as np
import pytest

from contracts.artifacts.image_dataset import ImageDataset
from tests.trainer.conftest import SIZE_PX

JAX: Final = {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
TORCH: Final = {"KERAS_BACKEND": "torch"}

CONFIG = f"""\
name: stripes
seed: 1
data: {{root: nowhere}}
preprocessing: {{image_size_px: {SIZE_PX}}}
augmentation: {{preset: none}}
trainer:
  model_options: {{filters: [8, 8], dropout: 0.0}}
  epochs: 2
  batch_size: 16
  learning_rate: 0.01
tracking: {{mlflow: {{enabled: false}}}}
explanation: {{pictures: false}}
"""

# As on a machine that has none.
WITHOUT_TENSORFLOW: Final = """\
import sys
from importlib.machinery import PathFinder
class Without(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        absent = name.partition(".")[0] in ("tensorflow", "tfx")
        return None if absent else super().find_spec(name, path, target)
sys.meta_path[sys.meta_path.index(PathFinder)] = Without
"""

# As with tensors on a GPU, which NumPy cannot read: Keras alone takes them from there.
UNREADABLE_BY_NUMPY: Final = """\
import sys, torch
def read(tensor, *args, own=torch.Tensor.__array__, **options):
    if not sys._getframe(1).f_code.co_filename.endswith("/keras/src/backend/torch/core.py"):
        raise TypeError("NumPy was given a tensor of PyTorch")
    return own(tensor, *args, **options)
torch.Tensor.__array__ = read
"""

# Name, code that comes before the program, and environment of the backends besides TensorFlow.
OTHER_BACKENDS: Final = [
    pytest.param(
        *(code, variables),
        id=name,
        marks=pytest.mark.skipif(
            importlib.util.find_spec(name) is None, reason=f"{name} is not installed"
        ),
    )
    for name, code, variables in (
        ("jax", WITHOUT_TENSORFLOW, JAX),
        ("torch", WITHOUT_TENSORFLOW + UNREADABLE_BY_NUMPY, TORCH),
    )
]
MAIN: Final = "import runpy; runpy.run_module('trainer', run_name='__main__', alter_sys=True)"


def started(
    *words: object, code: str = "", program: str = MAIN, **variables: str
) -> subprocess.Popen:
    """Start a Python with `code`, then the program (`python -m trainer`) on these words."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **variables}
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)  # JAX has set it, in this process
    return subprocess.Popen(
        [sys.executable, "-c", code + program, *map(str, words)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def training(
    folder: Path, dataset: ImageDataset, *options: str, code: str = "", **variables: str
) -> subprocess.Popen:
    """Start `python -m trainer` on the config, with what it leaves behind in `out`."""
    config = folder / "pipeline.yaml"
    config.write_text(CONFIG)
    words = ["--config", config, "--examples", dataset.uri, "--output", folder / "out", *options]
    return started(*words, code=code, **variables)


def weights(folder: Path) -> dict[str, np.ndarray]:
    """Return the last weights that a training left behind, by name."""
    found = {}
    with h5py.File(folder / "out" / "last.weights.h5") as file:
        file.visititems(
            lambda name, one: (
                found.update({name: one[()]}) if isinstance(one, h5py.Dataset) else None
            )
        )
    return {name: value for name, value in found.items() if "seed" not in name}


def finished(process: subprocess.Popen) -> str:
    """Return what it printed, once it has ended well."""
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err[-3000:]
    return out


def two_machines() -> list[dict[str, str]]:
    """Return the environment that makes each of two trainings a machine, the chief first."""
    cluster = {"worker": [f"127.0.0.1:{port}" for port in free_ports(2)]}
    tasks = [{"cluster": cluster, "task": {"type": "worker", "index": one}} for one in range(2)]
    return [{"TF_CONFIG": json.dumps(task)} for task in tasks]


def free_ports(count: int) -> list[int]:
    """Return ports of this machine that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
