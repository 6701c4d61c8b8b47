"""Initial weights of a network: from a file, or Keras's pretrained ImageNet weights."""

import logging
import tempfile
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import keras

from contracts.system.errors import ConfigError, some_of
from trainer.models.backbone import call_application
from trainer.models.freezing import head_layers, is_head, layers_within

LOGGER = logging.getLogger(__name__)

KEY = "trainer.weights"
DIFFERENCES_SHOWN = 3

# The member of a .keras file with the weights; and the groups in it that are no layers.
MEMBER = "model.weights.h5"
NO_LAYERS = ("optimizer", "metrics", "_metrics", "loss", "_loss")

# Our networks -> the same ones in keras.applications.
APPLICATIONS = {
    "convnext_tiny": "ConvNeXtTiny",
    "convnext_small": "ConvNeXtSmall",
    "convnext_base": "ConvNeXtBase",
    "convnext_large": "ConvNeXtLarge",
}
# The least size that they can be built for; weights fit every one.
APPLICATION_PX = 32

Shapes = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class StoredLayer:
    """The shapes of a layer's weights in a file."""

    name: str
    shapes: Shapes

    def __str__(self) -> str:
        shapes = ", ".join("x".join(map(str, shape)) or "scalar" for shape in self.shapes)
        return shapes or "nothing"


NOTHING = StoredLayer("", ())


def load_imagenet(network: keras.Model) -> None:
    """Give a ConvNeXt of ours the weights of the same one in keras.applications, without the head.

    Raises:
      ConfigError: they cannot be downloaded.
    """
    source = call_application(
        APPLICATIONS[network.name],
        weights="imagenet",
        pooling="avg",
        input_shape=(APPLICATION_PX, APPLICATION_PX, 3),
    )
    copy_weights(source, network)


def copy_weights(source: keras.Model, network: keras.Model) -> None:
    """Copy the weights of an application into the ConvNeXt of ours that is built the same.

    Both create theirs in the same order; a head of the source is copied where it has one.

    Raises:
      ValueError: they are not built the same.
    """
    head = 0 if len(source.weights) == len(network.weights) else 2
    targets = network.weights[: len(network.weights) - head]
    for value, target in zip(source.weights, targets, strict=True):
        # A grouped convolution keeps [height, width, 1, channels], a depthwise one
        # [height, width, channels, 1].
        depthwise = target.path.endswith("depthwise/kernel")
        target.assign(keras.ops.transpose(value, (0, 1, 3, 2)) if depthwise else value)


def load_file(network: keras.Model, file: Path) -> None:
    """Give a network the weights of a .weights.h5 or .keras file.

    A head for other classes is left as it is, and the log says so.

    Raises:
      ConfigError: the file is none of Keras 3, or its layers are not those of the network.
    """
    stored = _stored_layers(file)
    with tempfile.TemporaryDirectory(prefix="imgpipe-weights-") as folder:
        # A file of this very network, to compare with: only Keras knows the layout.
        own = Path(folder, "own.weights.h5")
        network.save_weights(own)
        expected = _stored_layers(own)
    differing = {
        place: (expected.get(place, NOTHING), stored.get(place, NOTHING))
        for place in expected | stored
        if expected.get(place, NOTHING).shapes != stored.get(place, NOTHING).shapes
    }
    head = {layer.name for layer in head_layers(network)}
    if any(not _of_head(here, there, head) for here, there in differing.values()):
        raise ConfigError(_misfit(network, file, list(differing.values())))
    with warnings.catch_warnings():
        # Keras warns of the head, with all its layers by their addresses, and later versions once
        # more for each container that it stands in.
        for text in ("A total of", "Skipping nested container"):
            warnings.filterwarnings("ignore", message=text, category=UserWarning)
        network.load_weights(file, skip_mismatch=bool(differing))
    if differing:
        names = sorted({here.name for here, _ in differing.values() if here.name})
        LOGGER.warning(
            "%s: %s was trained for other classes; all of %s but %s begins with its weights.",
            *(KEY, file, network.name, ", ".join(names)),
        )
    else:
        LOGGER.info("%s: all of %s begins with the weights of %s.", KEY, network.name, file)


def _of_head(here: StoredLayer, there: StoredLayer, head: set[str]) -> bool:
    """Return whether a difference is one of heads alone."""
    if here is NOTHING:
        return is_head(there.name)
    return here.name in head


def _misfit(
    network: keras.Model, file: Path, differing: list[tuple[StoredLayer, StoredLayer]]
) -> str:
    order = {layer.name: number for number, layer in enumerate(layers_within(network))}
    shown = [
        f"{here.name or there.name} has {there} there and {here} here"
        for here, there in sorted(differing, key=lambda pair: order.get(pair[0].name, len(order)))
    ]
    stem = any(
        here.name == "stem_conv" and here.shapes[0][2:] == there.shapes[0][2:]
        for here, there in differing
        if here.shapes and there.shapes
    )
    first = next((there for here, there in differing if here.name == "stem_conv"), NOTHING)
    advice = (
        f"Set trainer.model_options.stem_patch_px to {first.shapes[0][0]}."
        if stem
        else "trainer.model and trainer.model_options have to be those that it was saved with."
    )
    return (
        f"{KEY}: {file}: expected weights of {network.name}, received others: "
        f"{some_of(shown, DIFFERENCES_SHOWN)}. {advice}"
    )


def _stored_layers(file: Path) -> dict[str, StoredLayer]:
    """Return the layers with weights by their places in a file.

    Raises:
      ConfigError: it is no file of weights of Keras 3.
    """
    try:
        if file.name.endswith(".keras"):
            with zipfile.ZipFile(file) as archive, archive.open(MEMBER) as member:
                found = _layers_of(member)
        else:
            found = _layers_of(file)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise ConfigError(
            f"{KEY}: {file}: expected a file of weights of Keras 3, received another one "
            f"({str(error).rstrip('.')}). Save one with model.save_weights('name.weights.h5')."
        ) from error
    if not found:
        raise ConfigError(
            f"{KEY}: {file}: expected a file of weights of Keras 3, received one without any. "
            "Save one with model.save_weights('name.weights.h5')."
        )
    return found


def _layers_of(source: Any) -> dict[str, StoredLayer]:
    with h5py.File(source, "r") as file:
        return dict(_below(file))


def _below(group: h5py.Group) -> Iterator[tuple[str, StoredLayer]]:
    """Yield place and shapes of the layers with weights in a group and in those below it."""
    place = group.name.strip("/")
    if place.partition("/")[0] in NO_LAYERS:
        return
    shapes = tuple(item.shape for item in group.values() if isinstance(item, h5py.Dataset))
    if shapes:
        yield place, StoredLayer(str(group.attrs.get("name", place)), shapes)
    for item in group.values():
        if isinstance(item, h5py.Group):
            yield from _below(item)
