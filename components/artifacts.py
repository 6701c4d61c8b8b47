"""The custom artifact types, and what components note on standard ones."""

from tfx.types import Artifact
from tfx.types.system_artifacts import Dataset

REGISTRY_VERSION = "registry_version"


class ImageManifest(Artifact):
    """Every file that was found: what became of it, and the counts (image_example_gen.manifest)."""

    TYPE_NAME = "ImageManifest"
    TYPE_ANNOTATION = Dataset


def set_registry_version(model: Artifact, version: int) -> None:
    """Note on a Model artifact which registered version it holds."""
    model.set_int_custom_property(REGISTRY_VERSION, version)


def registry_version(model: Artifact) -> int:
    """Return which registered version a Model artifact holds; 0 for one from elsewhere."""
    return int(model.get_int_custom_property(REGISTRY_VERSION))
