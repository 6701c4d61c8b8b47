"""The memory that this process may still take: what the kernel has, and what its limits leave."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from contracts.system.control_groups import ROOT, groups, number, words

# A limit that is none: control groups of version 1 say a huge number.
NO_LIMIT_BYTES: Final = 1 << 60


@dataclass(frozen=True)
class Memory:
    """Bytes of memory."""

    installed: int
    available: int  # within the limit
    limit: int | None  # of a control group; None: no limit


@dataclass(frozen=True)
class _Files:
    """Where a control group says what it may take and what it has taken."""

    limit: Path
    used: Path
    statistics: Path
    reclaimable: str  # of its statistics: file pages that the kernel takes back first


def read_memory(root: Path = ROOT) -> Memory:
    """Return the memory, the narrowest limit of all control groups counted."""
    lines = (root / "proc/meminfo").read_text(encoding="ascii").splitlines()
    kib = {line.split(":")[0]: int(line.split()[1]) for line in lines if ":" in line}
    available = kib["MemAvailable"] * 1024
    limit: int | None = None
    for files in _files(root):
        allowed = number(files.limit)
        if allowed is None or allowed >= NO_LIMIT_BYTES:
            continue
        limit = min(int(allowed), limit if limit is not None else NO_LIMIT_BYTES)
        available = min(available, int(allowed) - _taken(files))
    return Memory(kib["MemTotal"] * 1024, max(0, available), limit)


def _taken(files: _Files) -> int:
    statistics = words(files.statistics)
    named = dict(zip(statistics[::2], statistics[1::2], strict=False))
    return int(number(files.used) or 0) - int(named.get(files.reclaimable, 0))


def _files(root: Path) -> Iterator[_Files]:
    base = root / "sys/fs/cgroup"
    for group in groups(root, ""):
        there = base / group
        yield _Files(
            there / "memory.max",
            there / "memory.current",
            there / "memory.stat",
            "inactive_file",
        )
    for group in groups(root, "memory"):
        there = base / "memory" / group
        yield _Files(
            there / "memory.limit_in_bytes",
            there / "memory.usage_in_bytes",
            there / "memory.stat",
            "total_inactive_file",
        )
