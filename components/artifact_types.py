"""The custom artifact types, and what components note on standard ones."""

from pathlib import Path

from tfx.types import Artifact
from tfx.types.system_artifacts import Dataset, Statistics

REGISTRY_VERSION = "registry_version"
# Of a blessing, as TFX's Evaluator writes it, so that its Pusher reads ours.
BLESSED_PROPERTY = "blessed"
BLESSED_FILE, NOT_BLESSED_FILE = "BLESSED", "NOT_BLESSED"


class ImageManifest(Artifact):
    """Every file that was found: what became of it, and the counts (image_example_gen.accounts)."""

    TYPE_NAME = "ImageManifest"
    TYPE_ANNOTATION = Dataset


class ImageDataReport(Artifact):
    """What is in the images and wrong with them, and the measures that it comes from."""

    TYPE_NAME = "ImageDataReport"
    TYPE_ANNOTATION = Statistics


class AugmentationReport(Artifact):
    """The resolved augmentation policy, pictures of what it does, and what the probe says of it."""

    TYPE_NAME = "AugmentationReport"
    TYPE_ANNOTATION = Statistics


class DataBlessing(Artifact):
    """Whether the data may be trained on; the custom property `blessed` is 1 or 0."""

    TYPE_NAME = "DataBlessing"


def set_blessed(blessing: Artifact, blessed: bool) -> None:
    """Note on the artifact of a blessing, and in its folder, whether it is one."""
    Path(blessing.uri, BLESSED_FILE if blessed else NOT_BLESSED_FILE).touch()
    blessing.set_int_custom_property(BLESSED_PROPERTY, int(blessed))


def set_registry_version(model: Artifact, version: int) -> None:
    """Note on a Model artifact which registered version it holds."""
    model.set_int_custom_property(REGISTRY_VERSION, version)


def registry_version(model: Artifact) -> int:
    """Return which registered version a Model artifact holds; 0 for one from elsewhere."""
    return int(model.get_int_custom_property(REGISTRY_VERSION))
