"""The code that a component runs is the code that its cache key holds."""

import os
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest

from contracts.cache_key.import_closure import import_closure
from contracts.environment.own_packages import PACKAGES, ROOT
from tests.e2e.conftest import Project, imgpipe

TFX_TRAINER = "tfx.components.trainer.executor.GenericExecutor"
MODULES = {
    "ImageExampleGen": "components.image_example_gen.executor",
    "ImageValidator": "components.image_validator.executor",
    "ImageTransform": "components.image_transform.executor",
    "Augmenter": "components.augmenter.executor",
    "Trainer": "trainer.entrypoint",
    "ChampionResolver": "components.champion_resolver.executor",
    "ModelEvaluator": "components.model_evaluator.executor",
    "ModelGate": "components.model_gate.executor",
    "ModelPusher": "components.model_pusher.executor",
}

# Every process of the component runs this first, also those that decode images.
NOTE_IMPORTS = f"""
import os, sys
from importlib.abc import MetaPathFinder
class Notes(MetaPathFinder):
    def find_spec(self, fullname, path, target=None):
        if fullname.partition(".")[0] in {PACKAGES!r}:
            with open(os.environ["NOTED_IMPORTS"], "a") as file:
                file.write(fullname + "\\n")
sys.meta_path.insert(0, Notes())
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project of its own, since the pusher pushes once more."""
    folder = tmp_path_factory.mktemp("closures")
    assert imgpipe("init", folder, "--demo").code == 0
    made = Project(folder)
    for seed in (0, 1):  # the second run has a champion
        limits = ("evaluation.min_accuracy=0", "evaluation.max_accuracy_drop=1")
        options = ("trainer.epochs=1", f"seed={seed}", *limits)
        ran = made.run(*chain.from_iterable(("--set", option) for option in options))
        assert ran.code == 0, ran.err
    return made


def loaded_by(component: str, project: Project, folder: Path) -> set[str]:
    """Return the modules of ours that the component imports on the inputs of the last run."""
    (folder / "sitecustomize.py").write_text(NOTE_IMPORTS)
    notes = folder / "imports.txt"
    execution_id = max(
        int(folder.name)
        for folder in (project.workspace / "pipeline" / component).glob("*/*")
        if folder.name.isdigit()
    )
    module = MODULES[component]
    name = TFX_TRAINER if component == "Trainer" else f"{module}.Executor"
    run = subprocess.run(
        [
            *(sys.executable, str(Path(__file__).with_name("one_component.py"))),
            *(str(project.workspace / "metadata.db"), str(execution_id), name, str(folder / "out")),
        ],
        env={**os.environ, "PYTHONPATH": f"{folder}:{ROOT}", "NOTED_IMPORTS": str(notes)},
        cwd=project.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    return set(notes.read_text().split())


@pytest.mark.parametrize("component", MODULES)
def test_every_module_that_a_component_loads_is_in_its_cache_key(
    project: Project, tmp_path: Path, component: str
) -> None:
    loaded = loaded_by(component, project, tmp_path)
    assert loaded - set(import_closure(MODULES[component])) == set()
    assert MODULES[component] in loaded
