"""Which layers of a network learn: the head alone, or all from some layer on."""

from collections.abc import Iterator, Sequence

import keras

from contracts.errors import ConfigError, some_of

TRAINABLE_FROM = "trainer.fine_tuning.trainable_from"
NAMES_SHOWN = 40


def freeze_backbone(network: keras.Model) -> None:
    """Leave only the head trainable: `head_*` and `probabilities`.

    Of a model of the user's own it is the last layer with weights. BatchNormalization that is
    frozen runs in inference mode, also in training. A model that is compiled has to be compiled
    again.
    """
    head = {id(layer) for layer in head_layers(network)}
    network.trainable = True
    for layer in _leaves(network):
        layer.trainable = id(layer) in head


def thaw(network: keras.Model, trainable_from: str | None) -> None:
    """Make every layer trainable, or those from the first on whose name begins so.

    The layers before that one are frozen, as in `freeze_backbone`. A model that is compiled has
    to be compiled again.

    Raises:
      ConfigError: no layer's name begins with `trainable_from`; a sentence with the names.
    """
    network.trainable = True
    if trainable_from is None:
        return
    names = [layer.name for layer in network.layers]
    first = next((i for i, name in enumerate(names) if name.startswith(trainable_from)), None)
    if first is None:
        known = _beginnings([layer.name for layer in network.layers if layer.weights])
        raise ConfigError(
            f"{TRAINABLE_FROM}: expected the beginning of a layer's name, received "
            f"{trainable_from!r}. The layers of {network.name} with weights, from the first to "
            f"the last: {some_of(known, NAMES_SHOWN)}."
        )
    for layer in network.layers[:first]:
        layer.trainable = False


def head_layers(network: keras.Model) -> list[keras.layers.Layer]:
    """Return the layers that are learnt for the classes at hand, and for nothing else."""
    ours = [layer for layer in network.layers if is_head(layer.name)]
    if any(layer.name == "probabilities" for layer in ours):
        return ours
    with_weights = [layer for layer in _leaves(network) if layer.weights]
    return with_weights[-1:]


def is_head(name: str) -> bool:
    """Tell whether a layer of one of our models belongs to the head."""
    return name.startswith("head_") or name == "probabilities"


def _leaves(network: keras.layers.Layer) -> Iterator[keras.layers.Layer]:
    """Yield the layers that are made of no others, at whatever depth, in order."""
    for layer in network._flatten_layers(include_self=False, recursive=True):
        if not any(True for _ in layer._flatten_layers(include_self=False)):
            yield layer


def _beginnings(names: Sequence[str]) -> list[str]:
    """Return names without their last part, each once: stage_0_conv and stage_0_norm: stage_0."""
    return list(dict.fromkeys(name.rpartition("_")[0] or name for name in names))
