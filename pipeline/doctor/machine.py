"""What the kernel gives to this process: cores, memory, disk, graphics cards.

Every path is below `root`, which is another folder only for tests.
"""

import math
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/")

# A limit of memory that is none: control groups of version 1 say a huge number.
NO_LIMIT_BYTES = 1 << 60


@dataclass(frozen=True)
class Cores:
    """Processor cores that this process may use."""

    installed: int
    allowed: int  # by affinity
    quota: float | None  # of a control group, in cores; None: no limit

    @property
    def usable(self) -> float:
        """How many run at the same time."""
        return self.allowed if self.quota is None else min(self.allowed, self.quota)


@dataclass(frozen=True)
class Memory:
    """Bytes of memory."""

    installed: int
    available: int  # within the limit
    limit: int | None  # of a control group; None: no limit


@dataclass(frozen=True)
class Disk:
    """Bytes of the disk at a folder, or at the first folder above it that there is."""

    folder: Path
    total: int
    free: int
    is_writable: bool


def read_cores(root: Path = ROOT, allowed: int | None = None) -> Cores:
    """Return the cores; `allowed` is asked of the kernel where it is None."""
    quotas = [*_quotas_v2(root), *_quotas_v1(root)]
    return Cores(
        installed=os.cpu_count() or 1,
        allowed=len(os.sched_getaffinity(0)) if allowed is None else allowed,
        quota=min(quotas, default=None),
    )


def read_memory(root: Path = ROOT) -> Memory:
    """Return the memory, the narrowest limit of all control groups counted."""
    lines = (root / "proc/meminfo").read_text(encoding="ascii").splitlines()
    kib = {line.split(":")[0]: int(line.split()[1]) for line in lines if ":" in line}
    available = kib["MemAvailable"] * 1024
    limit: int | None = None
    for folder, limit_file, used_file in _memory_files(root):
        bytes_allowed = _number(folder / limit_file)
        if bytes_allowed is None or bytes_allowed >= NO_LIMIT_BYTES:
            continue
        limit = min(int(bytes_allowed), limit if limit is not None else NO_LIMIT_BYTES)
        available = min(available, int(bytes_allowed - (_number(folder / used_file) or 0)))
    return Memory(kib["MemTotal"] * 1024, max(0, available), limit)


def read_disk(folder: Path) -> Disk:
    """Return the disk that a folder lies on, or will lie on."""
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


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """Yield the paths of this process' control group of a controller and of those above it.

    A container often sees its own group as the root, though /proc names it otherwise.
    """
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    for line in lines:
        _, controllers, place = line.split(":", 2)
        if controller in controllers.split(","):
            path = Path(place.lstrip("/"))
            yield path
            yield from path.parents
    yield Path()


def _quotas_v2(root: Path) -> Iterator[float]:
    for group in _groups(root, ""):
        words = _words(root / "sys/fs/cgroup" / group / "cpu.max")
        if len(words) == 2 and words[0] != "max":
            yield int(words[0]) / int(words[1])


def _quotas_v1(root: Path) -> Iterator[float]:
    for group in _groups(root, "cpu"):
        folder = root / "sys/fs/cgroup/cpu" / group
        quota, period = (_number(folder / f"cpu.cfs_{name}_us") for name in ("quota", "period"))
        if quota is not None and period and quota > 0:
            yield quota / period


def _memory_files(root: Path) -> Iterator[tuple[Path, str, str]]:
    base = root / "sys/fs/cgroup"
    for group in _groups(root, ""):
        yield base / group, "memory.max", "memory.current"
    for group in _groups(root, "memory"):
        yield base / "memory" / group, "memory.limit_in_bytes", "memory.usage_in_bytes"


def _words(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="ascii").split()
    except OSError:
        return []


def _number(file: Path) -> float | None:
    words = _words(file)
    if not words:
        return None
    return math.inf if words[0] == "max" else int(words[0])
