"""Cores, memory and cards are read with their limits, of either version of control groups."""

from pathlib import Path

import pytest

from contracts.system.memory import Memory
from contracts.system.memory import read_memory as memory_of
from pipeline.doctor.machine import Cores, Disk, nvidia_cards, read_cores, read_disk
from pipeline.doctor.machine_findings import (
    GIB,
    MIB,
    cores_finding,
    disk_finding,
    memory_finding,
    python_finding,
    shared_memory_finding,
)

MEMINFO = "MemTotal:       16777216 kB\nMemFree:         1 kB\nMemAvailable:   12582912 kB\n"


@pytest.fixture
def root(tmp_path):
    """Return `root(files)`: the folder with these files, text by path, and a meminfo."""

    def make(files: dict[str, str]) -> Path:
        for path, text in {"proc/meminfo": MEMINFO, **files}.items():
            file = tmp_path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return tmp_path

    return make


def test_without_limits(root):
    there = root({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"})
    assert read_cores(there, allowed=4).quota is None
    assert memory_of(there) == Memory(16 * GIB, 12 * GIB, None)


def test_version_2_of_control_groups_and_those_above(root):
    there = root(
        {
            "proc/self/cgroup": "0::/pod/container\n",
            "sys/fs/cgroup/pod/cpu.max": "150000 100000\n",
            "sys/fs/cgroup/pod/container/cpu.max": "400000 100000\n",
            "sys/fs/cgroup/pod/memory.max": f"{3 * GIB}\n",
            "sys/fs/cgroup/pod/memory.current": f"{GIB}\n",
            "sys/fs/cgroup/pod/container/memory.max": "max\n",
        }
    )
    cores = read_cores(there, allowed=4)
    assert (cores.quota, cores.usable) == (1.5, 1.5)
    assert memory_of(there) == Memory(16 * GIB, 2 * GIB, 3 * GIB)


def test_version_1_of_control_groups_seen_from_inside_a_container(root):
    there = root(
        {
            "proc/self/cgroup": "4:memory:/docker/abc\n1:cpu,cpuacct:/docker/abc\n",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "50000\n",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{2 * GIB}\n",
            "sys/fs/cgroup/memory/memory.usage_in_bytes": f"{3 * GIB}\n",
        }
    )
    assert read_cores(there, allowed=4).quota == 0.5
    assert memory_of(there) == Memory(16 * GIB, 0, 2 * GIB)


def test_version_1_without_limits(root):
    there = root(
        {
            "proc/self/cgroup": "4:memory:/\n1:cpu:/\n",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
        }
    )
    assert read_cores(there, allowed=4).quota is None
    assert memory_of(there).limit is None


@pytest.mark.parametrize(
    ("folder", "names", "reclaimable"),
    [
        ("sys/fs/cgroup", ("memory.max", "memory.current"), "inactive_file"),
        (
            "sys/fs/cgroup/memory",
            ("memory.limit_in_bytes", "memory.usage_in_bytes"),
            "total_inactive_file",
        ),
    ],
)
def test_pages_of_files_that_the_kernel_takes_back_are_available(root, folder, names, reclaimable):
    limit, used = names
    there = root(
        {
            f"{folder}/{limit}": f"{4 * GIB}\n",
            f"{folder}/{used}": f"{3 * GIB}\n",
            f"{folder}/memory.stat": f"active_file 5\n{reclaimable} {2 * GIB}\n",
        }
    )
    assert memory_of(there) == Memory(16 * GIB, 3 * GIB, 4 * GIB)


def test_the_cards_of_the_driver(root):
    card = "Model: \t\t NVIDIA H100 80GB HBM3\nIRQ:   \t\t 42\n"
    there = root({"proc/driver/nvidia/gpus/0000:00:04.0/information": card})
    assert nvidia_cards(there) == ["NVIDIA H100 80GB HBM3"]
    assert nvidia_cards(there / "nowhere") == []


def test_the_disk_of_a_folder_that_is_not_there_yet(tmp_path):
    disk = read_disk(tmp_path / "a" / "b")
    assert disk.folder == tmp_path.resolve()
    assert disk.is_writable and 0 < disk.free <= disk.total


@pytest.mark.parametrize(
    ("python", "libc", "machine", "state", "said"),
    [
        ((3, 10), ("glibc", "2.36"), "x86_64", "ok", "TFX 1.16"),
        ((3, 13), ("glibc", "2.41"), "x86_64", "ok", "TFX 1.21"),
        ((3, 10), ("glibc", "2.41"), "x86_64", "ok", "TFX 1.16"),
        ((3, 12), ("glibc", "2.36"), "x86_64", "problem", "TFX runs on Python 3.10:"),
        ((3, 14), ("glibc", "2.41"), "x86_64", "problem", "3.11 or 3.12 or 3.13 or 3.10"),
        ((3, 10), ("glibc", "2.17"), "x86_64", "problem", "glibc 2.28 or newer"),
        ((3, 10), ("", ""), "x86_64", "problem", "Linux with glibc on x86-64"),
        ((3, 10), ("glibc", "2.36"), "aarch64", "problem", "Linux with glibc on x86-64"),
    ],
)
def test_pythons_and_their_glibc(python, libc, machine, state, said):
    found = python_finding(python, libc, machine)
    assert found.state == state
    assert said in f"{found.text} {found.next_step}"


def test_fewer_cores_than_are_seen():
    assert cores_finding(Cores(8, 4, None)).state == "ok"
    assert cores_finding(Cores(8, 4, 4.0)).state == "ok"
    found = cores_finding(Cores(8, 8, 1.5))
    assert found.state == "warning"
    assert "beam.decode_processes: 1," in found.next_step


@pytest.mark.parametrize(
    ("available", "processes", "state", "step"),
    [
        (8 * GIB, 8, "ok", ""),
        (3 * GIB, 8, "warning", "Set beam.decode_processes: 4."),
        (2 * GIB, 1, "problem", "raise the limit"),
    ],
)
def test_memory_for_the_decode_processes(available, processes, state, step):
    found = memory_finding(Memory(16 * GIB, available, None), processes)
    assert found.state == state
    assert step in found.next_step


@pytest.mark.parametrize(
    ("free", "is_writable", "state"),
    [
        (50 * GIB, True, "ok"),
        (GIB, True, "warning"),
        (100 * MIB, True, "problem"),
        (50 * GIB, False, "problem"),
    ],
)
def test_the_disk(free, is_writable, state):
    found = disk_finding(Disk(Path("/w"), 100 * GIB, free, is_writable))
    assert found.state == state
    assert ("--workspace" in found.next_step) == (state != "ok")


def test_shared_memory_matters_to_several_gpus_alone():
    assert shared_memory_finding(64 * MIB, 1).state == "ok"
    assert shared_memory_finding(64 * MIB, 2).state == "warning"
    assert shared_memory_finding(GIB, 2).state == "ok"
