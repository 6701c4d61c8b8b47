"""The devices that training will use: GPUs of the backend, cards of the machine, TF_CONFIG."""

import csv
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from contracts.environment.cluster import (
    CLUSTER_DEVICES,
    CLUSTER_NEXT_STEP,
    EXAMPLE,
    TF_CONFIG,
    TRAINS_ALONE,
    parse_cluster,
)
from contracts.environment.keras_environment import (
    JAX,
    TENSORFLOW,
    TORCH,
    backend_problems,
    keras_json_problems,
)
from contracts.system.errors import ConfigError
from pipeline.doctor.findings import Finding, problem, problem_from, warning
from pipeline.doctor.probe import ProbedBackend

QUERY = "name,memory.total,driver_version,compute_cap"
# Backend in Keras -> its usual name, and the package that brings CUDA to it.
BACKENDS = {
    TENSORFLOW: ("TensorFlow", "imgpipe[gpu]"),
    JAX: ("JAX", "jax[cuda12]"),
    TORCH: ("PyTorch", "torch"),
}
STRATEGIES = {TENSORFLOW: "MirroredStrategy", JAX: "DataParallel"}


@dataclass(frozen=True)
class GraphicsCard:
    """A graphics card, as its driver describes it."""

    name: str
    memory_mib: str
    driver: str
    compute_capability: str

    def __str__(self) -> str:
        return (
            f"{self.name}, {self.memory_mib} MiB, compute capability {self.compute_capability}, "
            f"driver {self.driver}"
        )


def query_driver() -> list[GraphicsCard]:
    """Return the cards that nvidia-smi lists; none where there is no nvidia-smi."""
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


def parse_cards(answer: str) -> list[GraphicsCard]:
    """Return the cards in the table of nvidia-smi; lines with other columns are left out."""
    rows = csv.reader(answer.splitlines(), skipinitialspace=True)
    return [GraphicsCard(*row) for row in rows if len(row) == len(QUERY.split(","))]


def backend_findings(
    probed: ProbedBackend, cards: Sequence[GraphicsCard], kernel_cards: Sequence[str]
) -> Iterator[Finding]:
    """Yield whether Keras and its backend work, and whether they see the GPUs of the machine."""
    refused = backend_problems(TENSORFLOW) + keras_json_problems()
    yield from (problem_from("keras", sentence) for sentence in refused)
    if probed.failure:
        if not refused:  # which explains it
            step = "`make setup` installs it again; `python -c 'import tensorflow'` shows why."
            yield problem(TENSORFLOW, f"cannot be imported: {probed.failure}", step)
        return
    yield Finding("keras backend", probed.backend)
    yield from _gpu_findings(probed, cards, kernel_cards)
    yield Finding("precision", f"{probed.precision} (trainer.precision)")


def _gpu_findings(
    probed: ProbedBackend, cards: Sequence[GraphicsCard], kernel_cards: Sequence[str]
) -> Iterator[Finding]:
    known = [str(card) for card in cards] or list(kernel_cards)
    name, cuda_by = BACKENDS.get(probed.backend, (probed.backend, "what brings CUDA to it"))
    if probed.gpus:
        seen = [
            f"{gpu.name}, compute capability {gpu.compute_capability or 'unknown'}"
            for gpu in probed.gpus
        ]
        for number, text in enumerate(known if len(known) == len(seen) else seen):
            yield Finding(f"gpu {number}", text)
    elif known:
        cuda = "sees none" if probed.is_built_with_cuda else "is built without CUDA"
        yield warning(
            "gpu",
            f"{'; '.join(known)}, but {name} {cuda}: training would be on the CPU",
            f"`pip install '{cuda_by}'` brings CUDA; see that the driver is new enough and "
            "CUDA_VISIBLE_DEVICES does not hide the card.",
        )
    else:
        yield Finding("gpu", "none")


def training_finding(
    devices: str, gpus: int, tf_config: str | None, backend: str = TENSORFLOW
) -> Finding:
    """Return the devices that training will use.

    Args:
      devices: auto, cpu, gpu, mirrored or multi_worker.
      gpus: how many GPUs the backend sees.
      tf_config: the environment variable TF_CONFIG; None where it is not set.
      backend: the backend of Keras.
    """
    name = "trained on"
    if tf_config or devices == "multi_worker":
        of_cluster = _cluster_finding(devices, tf_config, backend)
        if of_cluster is not None:
            return of_cluster
    if devices in ("gpu", "mirrored") and not gpus:
        return problem(
            name,
            f"trainer.devices is {devices}, and {BACKENDS.get(backend, (backend,))[0]} sees no GPU",
            "Set trainer.devices: auto, or see the line on the GPU.",
        )
    if devices == "mirrored" and backend == TORCH:
        text = "trainer.devices is mirrored, and Keras trains on one device with PyTorch"
        return problem(name, text, "Set trainer.devices: auto, or take another KERAS_BACKEND.")
    if devices == "cpu" or not gpus:
        return Finding(name, "the CPU")
    if gpus == 1 or devices == "gpu" or backend == TORCH:
        return Finding(name, "one GPU")
    return Finding(name, f"{gpus} GPUs ({STRATEGIES.get(backend, 'together')})")


def _cluster_finding(devices: str, tf_config: str | None, backend: str) -> Finding | None:
    """Return the finding on several machines; None where this one trains alone."""
    workers: list[str] = []
    if tf_config:
        try:
            workers, index = parse_cluster(tf_config)
        except ConfigError as error:
            text = str(error).removeprefix(f"{TF_CONFIG}: ")
            return problem(TF_CONFIG, text, "Correct it, or unset it.")
    if len(workers) < 2:
        if devices != "multi_worker":
            return None
        text = f"trainer.devices is multi_worker, and it names {len(workers) or 'no'} workers"
        step = (
            f"Set it to JSON such as {EXAMPLE} for `imgpipe-train` on each machine; {TRAINS_ALONE}."
        )
        return problem(TF_CONFIG, text, step)
    if devices not in CLUSTER_DEVICES:
        step = f"Unset {TF_CONFIG}, or set trainer.devices: multi_worker."
        return warning("trained on", f"{devices}, though {TF_CONFIG} is set", step)
    if backend != TENSORFLOW:
        step = f"Unset {TF_CONFIG}, or unset KERAS_BACKEND."
        return problem(TF_CONFIG, f"{len(workers)} workers, which train on TensorFlow alone", step)
    text = (
        f"worker {index} of {len(workers)} workers, here {workers[index]} "
        f"(MultiWorkerMirroredStrategy), by `imgpipe-train` alone: {TRAINS_ALONE}"
    )
    return problem("trained on", text, CLUSTER_NEXT_STEP)
