"""What training will run on: TensorFlow's GPUs against the cards in the machine, and TF_CONFIG."""

import csv
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from contracts.cluster import EXAMPLE, TF_CONFIG, parse_cluster
from contracts.errors import ConfigError
from pipeline.doctor.findings import Finding, problem, warning
from pipeline.doctor.probe import Probed

QUERY = "name,memory.total,driver_version,compute_cap"
BACKEND = "tensorflow"


@dataclass(frozen=True)
class Card:
    """A graphics card as the driver knows it."""

    name: str
    memory_mib: str
    driver: str
    compute_capability: str

    def __str__(self) -> str:
        return (
            f"{self.name}, {self.memory_mib} MiB, compute capability {self.compute_capability}, "
            f"driver {self.driver}"
        )


def ask_driver() -> list[Card]:
    """Return the cards that nvidia-smi tells of; none where there is no nvidia-smi."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    done = subprocess.run(
        [program, f"--query-gpu={QUERY}", "--format=csv,noheader,nounits"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return parse_cards(done.stdout) if done.returncode == 0 else []


def parse_cards(answer: str) -> list[Card]:
    """Return the cards in nvidia-smi's table; lines of another shape are none."""
    rows = csv.reader(answer.splitlines(), skipinitialspace=True)
    return [Card(*row) for row in rows if len(row) == len(QUERY.split(","))]


def tensorflow_findings(
    probed: Probed, cards: Sequence[Card], kernel_cards: Sequence[str]
) -> Iterator[Finding]:
    """Yield whether TensorFlow works, which GPUs it sees and which it should see."""
    if probed.failure:
        step = "`make setup` installs it anew; `python -c 'import tensorflow'` shows all it says."
        yield problem("tensorflow", f"cannot be imported: {probed.failure}", step)
        return
    if probed.backend != BACKEND:
        yield warning(
            "keras backend",
            probed.backend,
            "`imgpipe run` exports with TensorFlow: unset KERAS_BACKEND for it.",
        )
    else:
        yield Finding("keras backend", probed.backend)
    yield from _gpu_findings(probed, cards, kernel_cards)
    yield Finding("precision", f"{probed.precision} (trainer.precision)")


def _gpu_findings(
    probed: Probed, cards: Sequence[Card], kernel_cards: Sequence[str]
) -> Iterator[Finding]:
    told = [str(card) for card in cards] or list(kernel_cards)
    if probed.gpus:
        seen = [
            f"{gpu.name}, compute capability {gpu.compute_capability or 'unknown'}"
            for gpu in probed.gpus
        ]
        for number, text in enumerate(told if len(told) == len(seen) else seen):
            yield Finding(f"gpu {number}", text)
    elif told:
        cuda = "sees none" if probed.is_built_with_cuda else "is built without CUDA"
        yield warning(
            "gpu",
            f"{'; '.join(told)}, but TensorFlow {cuda}: training would be on the CPU",
            "`pip install 'imgpipe[gpu]'` brings CUDA; see that the driver is new enough and "
            "CUDA_VISIBLE_DEVICES does not hide the card.",
        )
    else:
        yield Finding("gpu", "none")


def training_finding(devices: str, gpus: int, tf_config: str | None) -> Finding:
    """Return what training will run on.

    Args:
      devices: auto, cpu, gpu, mirrored or multi_worker.
      gpus: that TensorFlow sees.
      tf_config: the environment variable TF_CONFIG, None where it is not set.
    """
    name = "trained on"
    if tf_config or devices == "multi_worker":
        cluster = describe_cluster(tf_config)
        if cluster.state == "problem" or devices in ("auto", "multi_worker"):
            return cluster
        step = f"Unset {TF_CONFIG}, or set trainer.devices: multi_worker."
        return warning(name, f"{devices}, though {TF_CONFIG} is set", step)
    if devices in ("gpu", "mirrored") and not gpus:
        return problem(
            name,
            f"trainer.devices is {devices}, and TensorFlow sees no GPU",
            "Set trainer.devices: auto, or see the line on the GPU.",
        )
    if devices == "cpu" or not gpus:
        return Finding(name, "the CPU")
    if gpus == 1 or devices == "gpu":
        return Finding(name, "one GPU")
    return Finding(name, f"{gpus} GPUs (MirroredStrategy)")


def describe_cluster(tf_config: str | None) -> Finding:
    """Return which worker of which cluster TF_CONFIG makes of this machine."""
    if not tf_config:
        step = f"Set it to JSON such as {EXAMPLE}."
        return problem(TF_CONFIG, "trainer.devices is multi_worker, and it is not set", step)
    try:
        workers, index = parse_cluster(tf_config)
    except ConfigError as error:
        text = str(error).removeprefix(f"{TF_CONFIG}: ")
        return problem(TF_CONFIG, text, "Correct it, or unset it.")
    text = (
        f"worker {index} of {len(workers)} workers, here {workers[index]} "
        "(MultiWorkerMirroredStrategy)"
    )
    return Finding("trained on", text)
