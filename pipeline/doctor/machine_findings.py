"""Whether the machine is enough for a run."""

import math
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from contracts.config.beam import BeamConfig
from contracts.system.control_groups import ROOT
from contracts.system.memory import Memory, read_memory
from pipeline.doctor.findings import Finding, problem, warning
from pipeline.doctor.machine import Cores, Disk, read_cores, read_disk

GIB = 1 << 30
MIB = 1 << 20

# Which Pythons each TFX line has wheels for, and on which glibc.
LINES = {
    "1.21": ((2, 39), ((3, 11), (3, 12), (3, 13))),
    "1.16": ((2, 28), ((3, 10),)),
}

# TensorFlow, TFX and Beam in one process, before there are any images.
MEMORY_OF_A_RUN = 2 * GIB
# Of a decode process, with ordinary photos.
MEMORY_OF_A_DECODER = 256 * MIB

DISK_PROBLEM, DISK_WARNING = GIB // 2, 5 * GIB
# Docker's default of 64 MiB is too little for the gradients that GPUs exchange.
SHARED_MEMORY = 256 * MIB


def machine_findings(
    workspace: Path, beam: BeamConfig, gpus: int, root: Path = ROOT
) -> Iterator[Finding]:
    """Yield the findings on the machine; `gpus` is how many training will use."""
    yield python_finding(sys.version_info[:2], platform.libc_ver(), platform.machine())
    cores = read_cores(root)
    yield cores_finding(cores)
    yield memory_finding(read_memory(root), beam.decode_processes or cores.allowed)
    yield disk_finding(read_disk(workspace))
    shared = root / "dev/shm"
    if shared.is_dir():
        yield shared_memory_finding(shutil.disk_usage(shared).total, gpus)


def python_finding(
    python: tuple[int, int], libc: tuple[str, str], machine: str = "x86_64"
) -> Finding:
    """Return whether a TFX line has wheels for this Python and C library."""
    name, version = libc
    text = f"{_dotted(python)} on {name or 'no glibc'} {version}, {machine}".replace("  ", " ")
    if name != "glibc" or machine != "x86_64":
        return problem(
            "python",
            text,
            "TFX has wheels only for Linux with glibc on x86-64: use such one.",
        )
    glibc = tuple(int(part) for part in version.split(".")[:2])
    fitting = {line: pythons for line, (least, pythons) in LINES.items() if glibc >= least}
    for line, pythons in fitting.items():
        if python in pythons:
            return Finding("python", f"{text}: TFX {line}")
    if not fitting:
        return problem("python", text, "Use a system with glibc 2.28 or newer (Debian 12).")
    known = " or ".join(_dotted(one) for pythons in fitting.values() for one in pythons)
    return problem(
        "python", text, f"On this glibc TFX runs on Python {known}: `make setup PYTHON=...`."
    )


def cores_finding(cores: Cores) -> Finding:
    """Return how many cores there are, and whether a limit lets more processes start than run."""
    text = f"{cores.usable:g} of {cores.installed}"
    if cores.quota is None or cores.quota >= cores.allowed:
        return Finding("cores", text)
    processes = max(1, math.floor(cores.quota))
    return warning(
        "cores",
        f"{text}: a control group gives {cores.quota:g}, while {cores.allowed} are seen",
        f"Set beam.decode_processes: {processes}, or as many would decode as are seen.",
    )


def memory_finding(memory: Memory, decode_processes: int) -> Finding:
    """Return whether memory is enough for a run and its decode processes."""
    limit = "" if memory.limit is None else f" (limited to {_gib(memory.limit)})"
    text = f"{_gib(memory.available)} available of {_gib(memory.installed)}{limit}"
    for_decoders = memory.available - MEMORY_OF_A_RUN
    if for_decoders < MEMORY_OF_A_DECODER:
        return problem(
            "memory",
            text,
            f"A run takes about {_gib(MEMORY_OF_A_RUN)} and more: end other programs, or raise "
            "the limit.",
        )
    if for_decoders < decode_processes * MEMORY_OF_A_DECODER:
        fitting = for_decoders // MEMORY_OF_A_DECODER
        return warning(
            "memory",
            f"{text}; {decode_processes} decode processes may take more",
            f"Set beam.decode_processes: {fitting}.",
        )
    return Finding("memory", text)


def disk_finding(disk: Disk) -> Finding:
    """Return whether the workspace can be written and has room."""
    text = f"{_gib(disk.free)} free of {_gib(disk.total)} at {disk.folder}"
    if not disk.is_writable:
        return problem("disk", f"{text}, not writable", "Name another folder with --workspace.")
    step = "Free some, or name a folder on another disk with --workspace."
    if disk.free < DISK_PROBLEM:
        return problem("disk", text, step)
    if disk.free < DISK_WARNING:
        return warning("disk", text, step)
    return Finding("disk", text)


def shared_memory_finding(total: int, gpus: int) -> Finding:
    """Return whether shared memory is enough for the gradients that several GPUs exchange."""
    text = f"{_gib(total)} in /dev/shm"
    if gpus < 2 or total >= SHARED_MEMORY:
        return Finding("shared memory", text)
    return warning(
        "shared memory", text, f"{gpus} GPUs exchange gradients there: `docker run --shm-size=1g`."
    )


def _gib(size: float) -> str:
    return f"{size / GIB:.1f} GiB"


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
