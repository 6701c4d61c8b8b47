"""Asks the backend of Keras what it sees, in another process: it prints a lot, and may crash."""

import json
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field

from contracts.environment.own_packages import python_command

TIMEOUT_S = 120.0
VIEW = "from pipeline.doctor.keras_view import main; main()"


@dataclass(frozen=True)
class ProbedGpu:
    """A GPU that the backend sees."""

    name: str
    compute_capability: str = ""


@dataclass(frozen=True)
class ProbedBackend:
    """The backend of Keras and its GPUs; `failure` is the reason why it cannot be imported."""

    backend: str = ""  # of Keras
    precision: str = ""  # Keras' policy for training
    gpus: list[ProbedGpu] = field(default_factory=list)
    is_built_with_cuda: bool = False
    failure: str = ""


def probe(
    precision: str, command: Sequence[str] = (), timeout_s: float = TIMEOUT_S
) -> ProbedBackend:
    """Return what the backend sees; another process imports it, and its output is not printed.

    Args:
      precision: `trainer.precision`.
      command: what runs instead of a Python with VIEW.
      timeout_s: how long the import may take.
    """
    asked = [*(command or python_command(VIEW)), precision]
    try:
        done = subprocess.run(
            asked, capture_output=True, text=True, timeout=timeout_s, check=False, errors="replace"
        )
    except subprocess.TimeoutExpired:
        return ProbedBackend(failure=f"it was not there within {timeout_s:g} s")
    if done.returncode < 0:
        return ProbedBackend(failure=f"it was killed by {signal.Signals(-done.returncode).name}")
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        return ProbedBackend(
            failure=lines[-1] if lines else f"it ended with code {done.returncode}"
        )
    answer = json.loads(done.stdout.splitlines()[-1])
    return ProbedBackend(**{**answer, "gpus": [ProbedGpu(**gpu) for gpu in answer["gpus"]]})
