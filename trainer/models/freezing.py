"""Which layers of a network learn: the head alone, or all from some layer on."""

from collections.abc import Iterator, Sequence

import keras

from contracts.system.errors import ConfigError, some_of

TRAINABLE_FROM = "trainer.fine_tuning.trainable_from"
NAMES_SHOWN = 40


def freeze_backbone(network: keras.Model) -> None:
    """Leave only the head trainable: `head_*` and `probabilities`.

    Of a model of the user's own it is the last layer with weights. BatchNormalization that is
    frozen runs in inference mode, also in training. A model that is compiled has to be compiled
    again.
    """
    head = {id(layer) for layer in head_layers(network)}
    for layer in (network, *layers_within(network)):
        _set_trainable(layer, id(layer) in head)


def thaw(network: keras.Model, trainable_from: str | None) -> None:
    """Make every layer trainable, or those from the first on whose name begins so.

    The layers before that one are frozen, as in `freeze_backbone`. A model that is compiled has
    to be compiled again.

    Raises:
      ConfigError: no layer's name begins with `trainable_from`; a sentence with the names.
    """
    begins = [
        trainable_from is None or layer.name.startswith(trainable_from) for layer in network.layers
    ]
    if True not in begins:
        known = _beginnings([layer.name for layer in network.layers if layer.weights])
        raise ConfigError(
            f"{TRAINABLE_FROM}: expected the beginning of a layer's name, received "
            f"{trainable_from!r}. The layers of {network.name} with weights, from the first to "
            f"the last: {some_of(known, NAMES_SHOWN)}."
        )
    first = begins.index(True)
    _set_trainable(network, trainable_from is None)  # weights that belong to no layer of it
    for number, layer in enumerate(network.layers):
        for part in (layer, *layers_within(layer)):
            _set_trainable(part, number >= first)


def head_layers(network: keras.Model) -> list[keras.layers.Layer]:
    """Return the layers that are learnt for the classes at hand, and for nothing else."""
    ours = [layer for layer in network.layers if is_head(layer.name)]
    if any(layer.name == "probabilities" for layer in ours):
        return ours
    last = [layer for layer in layers_within(network) if layer.weights and not _parts(layer)]
    return last[-1:]


def is_head(name: str) -> bool:
    """Return whether a layer of one of our models belongs to the head."""
    return name.startswith("head_") or name == "probabilities"


def layers_within(layer: keras.layers.Layer) -> Iterator[keras.layers.Layer]:
    """Yield the layers inside a layer, at any depth, in order, each before those inside it."""
    for part in _parts(layer):
        yield part
        yield from layers_within(part)


def _parts(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    # Keras's own method gives the inner layers in reverse order.
    parts: list[keras.layers.Layer] = layer._flatten_layers(include_self=False, recursive=False)
    return parts


def _set_trainable(layer: keras.layers.Layer, trainable: bool) -> None:
    """Set whether a layer's own weights are trainable; inner layers are set one by one."""
    if not _parts(layer):
        layer.trainable = trainable
        return
    # A container that is not trainable hides the trainable weights of its inner layers.
    layer.trainable = True
    for weight in layer._trainable_variables:
        weight.trainable = trainable


def _beginnings(names: Sequence[str]) -> list[str]:
    """Return names without their last part, each once: stage_0_conv, stage_0_norm -> stage_0."""
    return list(dict.fromkeys(name.rpartition("_")[0] or name for name in names))
