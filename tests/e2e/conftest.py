"""Runs `imgpipe` as a user does: a process of its own, from its own folder."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

IMGPIPE = Path(sys.executable).with_name("imgpipe")
# Enough to be good, little enough to be quick.
FEW_EPOCHS = ("--set", "trainer.epochs=6")


@dataclass(frozen=True)
class Result:
    """What a command printed and returned."""

    code: int
    out: str
    err: str

    @property
    def summary(self) -> dict:
        """The JSON on standard output."""
        return json.loads(self.out)


def imgpipe(*arguments: object, cwd: Path | None = None) -> Result:
    """Run the command to its end."""
    run = subprocess.run(
        [str(IMGPIPE), *map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False
    )
    return Result(run.returncode, run.stdout, run.stderr)


@dataclass(frozen=True)
class Project:
    """A config, its data and its workspace."""

    folder: Path

    @property
    def workspace(self) -> Path:
        """Where its runs land."""
        return self.folder / "workspace"

    def command(self, name: str, *arguments: object) -> Result:
        """Run a command in the project's folder."""
        return imgpipe(*name.split(), *arguments, cwd=self.folder)

    def run(self, *arguments: object) -> Result:
        """Run the pipeline and ask for the summary as JSON."""
        return self.command("run", "--json", *FEW_EPOCHS, *arguments)


def noise_project(folder: Path, more_keys: str = "") -> Project:
    """Return a project of two classes of noise, quickly trained."""
    rng = np.random.default_rng(0)
    for label, low in (("bright", 128), ("dark", 0)):
        (folder / "photos" / label).mkdir(parents=True)
        for index in range(60):
            pixels = rng.integers(low, low + 128, (12, 12, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(folder / "photos" / label / f"{index}.png")
    (folder / "pipeline.yaml").write_text(
        "name: toys\n"
        "data: {root: photos}\n"
        "preprocessing: {image_size_px: 16}\n"
        "trainer: {model_options: {filters: [4, 8]}, learning_rate: 0.01}\n" + more_keys
    )
    return Project(folder)


@pytest.fixture(scope="session")
def digits(tmp_path_factory) -> Project:
    """Return the demo's project, nothing run yet."""
    folder = tmp_path_factory.mktemp("e2e") / "a project with a space"
    made = imgpipe("init", folder, "--demo")
    assert made.code == 0, made.err
    return Project(folder)


@pytest.fixture(scope="session")
def first(digits) -> Result:
    """Return the result of the project's first run."""
    return digits.run()


@pytest.fixture
def mounted_disk(tmp_path) -> Iterator[Callable[..., Path]]:
    """Return a function that mounts a disk of its own of so many MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()

    def mount(size_mib: int) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", f"size={size_mib}m", "tmpfs", str(disk)]
        mounted = subprocess.run(command, capture_output=True, text=True, check=False)
        if mounted.returncode:
            pytest.skip(f"cannot mount a disk here: {mounted.stderr.strip()}")
        return disk

    yield mount
    subprocess.run(["umount", str(disk)], capture_output=True, check=False)
