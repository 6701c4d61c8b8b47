"""What tools/debian13.sh says where it cannot begin. The programs are faked: nothing is mounted."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tools import make_venv

SCRIPT = Path(make_venv.__file__).with_name("debian13.sh")
NEEDED = ("bash", "env", "realpath", "dirname", "mkdir", "rm", "mv", "tail")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout on a path with a space, beside a folder with the only programs on PATH."""
    root = tmp_path / "a checkout"
    (root / "tools").mkdir(parents=True)
    shutil.copy(SCRIPT, root / "tools")
    (tmp_path / "bin").mkdir()
    for name in NEEDED:
        (tmp_path / "bin" / name).symlink_to(shutil.which(name) or "")
    _program(tmp_path / "bin" / "id", "case $1 in -u) echo 0;; -un) echo root;; esac")
    return root


def _program(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def _run(checkout: Path) -> subprocess.CompletedProcess[str]:
    env = {"PATH": str(checkout.parent / "bin"), "HOME": str(checkout)}
    script = str(checkout / "tools" / SCRIPT.name)
    return subprocess.run([script], env=env, capture_output=True, text=True, check=False)


def test_another_user_than_root_is_told_to_use_sudo(checkout: Path) -> None:
    fake = "case $1 in -u) echo 1000;; -un) echo ann;; esac"
    _program(checkout.parent / "bin" / "id", fake)

    done = _run(checkout)

    assert done.returncode == 2
    assert done.stderr == (
        "debian13: expected to run as root, for mount and chroot, received user ann. "
        "Call it with sudo.\n"
    )


def test_a_missing_debootstrap_is_one_sentence(checkout: Path) -> None:
    done = _run(checkout)

    assert done.returncode == 2
    assert done.stderr == (
        "debian13: expected debootstrap on PATH, received none. "
        "Install it: apt-get install debootstrap.\n"
    )


def test_a_debootstrap_that_fails_leaves_no_root_behind_that_is_taken_for_one(
    checkout: Path,
) -> None:
    fake = 'for last; do :; done; mkdir -p "$last"; echo "E: Failed getting release file"; exit 1'
    _program(checkout.parent / "bin" / "debootstrap", fake)

    done = _run(checkout)

    assert done.returncode == 2
    assert "received: E: Failed getting release file." in done.stderr
    assert not (checkout / ".debian13" / "root").exists()
    log = checkout / ".debian13" / "debootstrap.log"
    assert log.read_text() == "E: Failed getting release file\n"
