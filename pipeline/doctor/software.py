"""Looks for the libraries: those of every run, and the optional ones that a config needs."""

import importlib.metadata
from collections.abc import Callable, Iterator, Mapping

from contracts.config.pipeline_config import PipelineConfig
from contracts.config.rules.needed_libraries import needed_libraries
from pipeline.doctor.findings import Finding, problem

LIBRARIES: Mapping[str, str] = {
    "tfx": "TFX",
    "tensorflow": "TensorFlow",
    "keras": "Keras",
    "keras-tuner": "KerasTuner",
    "apache-beam": "Beam",
    "tensorflow-data-validation": "Data Validation",
    "ml-metadata": "ML Metadata",
    "mlflow": "MLflow",
}

# Extra of imgpipe -> the distribution that it brings.
EXTRAS: Mapping[str, str] = {
    "albumentations": "albumentations",
    "cleanlab": "cleanlab",
    "kubeflow": "kfp-pipeline-spec",
    "wandb": "wandb",
}

FindVersion = Callable[[str], str | None]


def installed_version(distribution: str) -> str | None:
    """Return the installed version, None where there is none."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def software_findings(
    config: PipelineConfig, version: FindVersion = installed_version
) -> Iterator[Finding]:
    """Yield the libraries that every run needs, and the optional ones."""
    versions = {label: version(name) for name, label in LIBRARIES.items()}
    missing = [label for label, found in versions.items() if found is None]
    text = ", ".join(f"{label} {found}" for label, found in versions.items() if found)
    if missing:
        step = "Install imgpipe again with all it needs: `make setup`."
        yield problem("libraries", f"not installed: {', '.join(missing)}", step)
    if text:
        yield Finding("libraries", text)
    needed = {library.name for library in needed_libraries(config)}
    for extra, distribution in EXTRAS.items():
        found = version(distribution)
        if found is not None:
            yield Finding(f"imgpipe[{extra}]", f"{distribution} {found}")
        elif extra in needed:
            step = f"`pip install 'imgpipe[{extra}]'`, or switch off what needs it in the config."
            yield problem(f"imgpipe[{extra}]", "not installed, and the config needs it", step)
        else:
            yield Finding(f"imgpipe[{extra}]", "not installed; the config does not need it")
