"""The custom artifact types, and what components note on standard ones."""

from tfx.types import Artifact
from tfx.types.system_artifacts import Dataset, Statistics

REGISTRY_VERSION = "registry_version"


class ImageManifest(Artifact):
    """Every file that was found: what became of it, and the counts (image_example_gen.manifest)."""

    TYPE_NAME = "ImageManifest"
    TYPE_ANNOTATION = Dataset


class ImageDataReport(Artifact):
    """What is in the images and wrong with them, and the measures that it comes from."""

    TYPE_NAME = "ImageDataReport"
    TYPE_ANNOTATION = Statistics


class DataBlessing(Artifact):
    """Whether the data may be trained on; the custom property `blessed` is 1 or 0."""

    TYPE_NAME = "DataBlessing"


def set_registry_version(model: Artifact, version: int) -> None:
    """Note on a Model artifact which registered version it holds."""
    model.set_int_custom_property(REGISTRY_VERSION, version)


def registry_version(model: Artifact) -> int:
    """Return which registered version a Model artifact holds; 0 for one from elsewhere."""
    return int(model.get_int_custom_property(REGISTRY_VERSION))
