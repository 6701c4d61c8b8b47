"""Asks Keras's backend what it sees, in a process of its own: it prints a lot, and may crash."""

import json
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field

from contracts.environment.own_packages import python_command

TIMEOUT_S = 120.0
VIEW = "from pipeline.doctor.keras_view import main; main()"


@dataclass(frozen=True)
class Gpu:
    """A GPU that the backend sees."""

    name: str
    compute_capability: str = ""


@dataclass(frozen=True)
class Probed:
    """What Keras and its backend say of themselves; `failure` where they cannot be imported."""

    backend: str = ""  # of Keras
    precision: str = ""  # Keras' policy that training will have
    gpus: list[Gpu] = field(default_factory=list)
    is_built_with_cuda: bool = False
    failure: str = ""


def probe(precision: str, command: Sequence[str] = (), timeout_s: float = TIMEOUT_S) -> Probed:
    """Return what the backend sees; it is imported by another process and prints nothing here.

    Args:
      precision: `trainer.precision`.
      command: instead of a Python that runs VIEW.
      timeout_s: how long importing may take.
    """
    asked = [*(command or python_command(VIEW)), precision]
    try:
        done = subprocess.run(
            asked, capture_output=True, text=True, timeout=timeout_s, check=False, errors="replace"
        )
    except subprocess.TimeoutExpired:
        return Probed(failure=f"it was not there within {timeout_s:g} s")
    if done.returncode < 0:
        return Probed(failure=f"it was killed by {signal.Signals(-done.returncode).name}")
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        return Probed(failure=lines[-1] if lines else f"it ended with code {done.returncode}")
    answer = json.loads(done.stdout.splitlines()[-1])
    return Probed(**{**answer, "gpus": [Gpu(**gpu) for gpu in answer["gpus"]]})
