"""Reads what the kernel gives this process: cores, disk, graphics cards.

Every path is below `root`; only tests pass another folder than the default.
"""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from contracts.system.control_groups import ROOT, groups, number, words


@dataclass(frozen=True)
class Cores:
    """Processor cores that this process may use."""

    installed: int
    allowed: int  # by affinity
    quota: float | None  # of a control group, in cores; None: no limit

    @property
    def usable(self) -> float:
        """How many cores run at the same time."""
        return self.allowed if self.quota is None else min(self.allowed, self.quota)


@dataclass(frozen=True)
class Disk:
    """Bytes of the disk at a folder, or at the nearest folder above it that exists."""

    folder: Path
    total: int
    free: int
    is_writable: bool


def read_cores(root: Path = ROOT, allowed: int | None = None) -> Cores:
    """Return the cores; where `allowed` is None, the kernel is asked."""
    quotas = [*_quotas_v2(root), *_quotas_v1(root)]
    return Cores(
        installed=os.cpu_count() or 1,
        allowed=len(os.sched_getaffinity(0)) if allowed is None else allowed,
        quota=min(quotas, default=None),
    )


def read_disk(folder: Path) -> Disk:
    """Return the disk of a folder, which need not exist yet."""
    there = folder.resolve()
    while not there.exists():
        there = there.parent
    usage = shutil.disk_usage(there)
    return Disk(there, usage.total, usage.free, os.access(there, os.W_OK | os.X_OK))


def nvidia_cards(root: Path = ROOT) -> list[str]:
    """Return the models of the NVIDIA cards that the kernel's driver sees, in its order."""
    files = sorted((root / "proc/driver/nvidia/gpus").glob("*/information"))
    return [_field(file.read_text(encoding="utf-8"), "Model") for file in files]


def _field(text: str, name: str) -> str:
    lines = (line.partition(":") for line in text.splitlines())
    return next((value.strip() for key, _, value in lines if key.strip() == name), "unknown")


def _quotas_v2(root: Path) -> Iterator[float]:
    for group in groups(root, ""):
        found = words(root / "sys/fs/cgroup" / group / "cpu.max")
        if len(found) == 2 and found[0] != "max":
            yield int(found[0]) / int(found[1])


def _quotas_v1(root: Path) -> Iterator[float]:
    for group in groups(root, "cpu"):
        folder = root / "sys/fs/cgroup/cpu" / group
        quota, period = (number(folder / f"cpu.cfs_{name}_us") for name in ("quota", "period"))
        if quota is not None and period and quota > 0:
            yield quota / period
