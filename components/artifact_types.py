"""The custom artifact types, and the properties that components set on artifacts."""

from pathlib import Path

from tfx.types import Artifact
from tfx.types.system_artifacts import Dataset, Statistics

REGISTRY_VERSION = "registry_version"
# Property and files of a blessing, as TFX's Evaluator writes them: TFX's Pusher reads ours too.
BLESSED_PROPERTY = "blessed"
BLESSED_FILE, NOT_BLESSED_FILE = "BLESSED", "NOT_BLESSED"


class ImageManifest(Artifact):
    """A row for every file that was found, and counts (contracts.artifacts.manifest)."""

    TYPE_NAME = "ImageManifest"
    TYPE_ANNOTATION = Dataset


class ImageDataReport(Artifact):
    """The issues of the images, and the measures that show them."""

    TYPE_NAME = "ImageDataReport"
    TYPE_ANNOTATION = Statistics


class AugmentationReport(Artifact):
    """The resolved augmentation policy, pictures of its effect, and the findings of the probe."""

    TYPE_NAME = "AugmentationReport"
    TYPE_ANNOTATION = Statistics


class DataBlessing(Artifact):
    """Whether the data may be trained on; the custom property `blessed` is 1 or 0."""

    TYPE_NAME = "DataBlessing"


def set_blessed(blessing: Artifact, blessed: bool) -> None:
    """Record in the artifact of a blessing and in its folder whether it is blessed."""
    Path(blessing.uri, BLESSED_FILE if blessed else NOT_BLESSED_FILE).touch()
    blessing.set_int_custom_property(BLESSED_PROPERTY, int(blessed))


def set_registry_version(model: Artifact, version: int) -> None:
    """Record in a Model artifact which registered version it holds."""
    model.set_int_custom_property(REGISTRY_VERSION, version)


def registry_version(model: Artifact) -> int:
    """Return which registered version a Model artifact holds; 0 for one from elsewhere."""
    return int(model.get_int_custom_property(REGISTRY_VERSION))
