"""Observes the layers of a network while it runs.

The `call` of each layer is replaced for one pass. So functional, nested and subclassed models are
observed in the same way, on every backend that runs eagerly.
"""

import functools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from contracts.environment.keras_environment import TENSORFLOW, TORCH
from trainer.array_types import FloatArray
from trainer.pictures.picture import CannotDraw

Watch = Callable[["LayerCall", Any, Any], Any]

POOLING = (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D)


@dataclass(frozen=True)
class LayerCall:
    """One call of a layer in a pass of images through a network."""

    layer: Any
    number: int  # from 0; a shared layer is called more than once


@dataclass(frozen=True)
class TracedCall:
    """The shapes of what a layer took and gave in one of its calls, for one image."""

    call: LayerCall
    input_shape: tuple[int, ...] | None
    output_shape: tuple[int, ...] | None  # None: no single tensor

    @property
    def is_map(self) -> bool:
        """Whether the output is a map of features: [1, height, width, channels]."""
        return min(self.map_size) > 1

    @property
    def map_size(self) -> tuple[int, int]:
        """Height and width of the map of features; 1 x 1 where the output is none."""
        shape = self.output_shape
        return (shape[1], shape[2]) if shape is not None and len(shape) == 4 else (1, 1)


def inner_layers(network: Any) -> list[Any]:
    """Return every layer in the network, at any depth."""
    return list(network._flatten_layers(include_self=False, recursive=True))


def is_leaf(layer: Any) -> bool:
    """Return whether a layer holds no other layers."""
    return not inner_layers(layer)


@contextmanager
def watched(layers: Iterable[Any], watch: Watch) -> Iterator[None]:
    """Call `watch(call, input, output)` after each call of a layer, in one pass.

    Its result replaces the output.
    """
    calls: Counter[int] = Counter()

    def watching(layer: Any, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def watched_call(*args: Any, **kwargs: Any) -> Any:
            output = original(*args, **kwargs)
            call = LayerCall(layer, calls[id(layer)])
            calls[id(layer)] += 1
            return watch(call, args[0] if args else None, output)

        return watched_call

    changed = list(layers)
    for layer in changed:
        layer.__dict__["call"] = watching(layer, layer.call)
    try:
        with _eagerly():
            yield
    finally:
        for layer in changed:
            del layer.__dict__["call"]


@contextmanager
def _eagerly() -> Iterator[None]:
    """Run models eagerly whose `call` is a tf.function."""
    if keras.backend.backend() != TENSORFLOW:
        yield
        return
    import tensorflow as tf

    before = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(before)


def trace_calls(network: Any, size_px: int) -> list[TracedCall]:
    """Return the calls of a network's layers, in the order in which they end.

    A layer that holds others ends after them.
    """
    found: list[TracedCall] = []

    def note(call: LayerCall, given: Any, gave: Any) -> Any:
        found.append(TracedCall(call, _shape(given), _shape(gave)))
        return gave

    with watched(inner_layers(network), note):
        network(np.zeros((1, size_px, size_px, 3), np.float32), training=False)
    return found


def outputs_at(
    network: Any, pixels: FloatArray, calls: Iterable[LayerCall]
) -> dict[LayerCall, Any]:
    """Return what these calls give for a batch of images."""
    wanted, found = set(calls), {}

    def keep(call: LayerCall, _: Any, gave: Any) -> Any:
        if call in wanted:
            found[call] = gave
        return gave

    with watched({call.layer for call in wanted}, keep):
        network(pixels, training=False)
    return found


def head_of(found: Iterable[TracedCall]) -> TracedCall | None:
    """Return the call of the last layer with weights, which decides the class.

    None where no such layer takes a single tensor.
    """
    for traced in reversed(list(found)):
        layer = traced.call.layer
        if is_leaf(layer) and layer.weights and traced.input_shape is not None:
            return traced
    return None


def maps_of(found: list[TracedCall]) -> list[TracedCall]:
    """Return the calls that give a map of features, without those of pooling.

    Layers before the first one with weights give the image itself.
    """
    first = next((i for i, one in enumerate(found) if one.call.layer.weights), len(found))
    return [one for one in found[first:] if one.is_map and not isinstance(one.call.layer, POOLING)]


def features_and_probabilities(
    network: Any, head: LayerCall | None, pixels: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the inputs of the head, float32 [batch, features], and the probabilities.

    A map of features is averaged over its pixels. Without a head there are no features.
    """
    given_to_head: list[Any] = []

    def keep(call: LayerCall, given: Any, gave: Any) -> Any:
        if call == head:
            given_to_head.append(given)
        return gave

    with watched([head.layer] if head else [], keep):
        answers = network(pixels, training=False)
    probabilities = ops.convert_to_numpy(ops.cast(answers, "float32"))
    if not given_to_head:
        return np.zeros((len(pixels), 0), np.float32), probabilities
    features = ops.cast(given_to_head[0], "float32")
    if len(features.shape) > 2:
        features = ops.mean(features, axis=tuple(range(1, len(features.shape) - 1)))
    return ops.convert_to_numpy(features), probabilities


@contextmanager
def without_softmax(found: Iterable[TracedCall]) -> Iterator[bool]:
    """Let the network give its logits; yield False where it has no softmax.

    The gradient of a softmax near 0 or 1 is almost 0.
    """
    last = next(one.call.layer for one in reversed(list(found)) if is_leaf(one.call.layer))
    if isinstance(last, keras.layers.Softmax):
        with watched([last], lambda _place, given, _gave: given):
            yield True
    elif getattr(last, "activation", None) is keras.activations.softmax:
        last.activation = keras.activations.linear
        try:
            yield True
        finally:
            last.activation = keras.activations.softmax
    else:
        yield False


def gradient(function: Callable[[Any], Any], at: Any) -> Any:
    """Return the gradient of a function to a number, at a tensor.

    Raises:
      CannotDraw: Keras runs on a backend that has none.
    """
    backend = keras.backend.backend()
    if backend == TENSORFLOW:
        import tensorflow as tf

        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(at)
            value = function(at)
        return tape.gradient(value, at)
    if backend == "jax":
        import jax

        return jax.grad(function)(at)
    if backend == TORCH:
        import torch

        at = at.detach().requires_grad_()
        return torch.autograd.grad(function(at), at)[0]
    raise CannotDraw(f"gradients are taken on TensorFlow, JAX and PyTorch, not on {backend}.")


def _shape(value: Any) -> tuple[int, ...] | None:
    return tuple(value.shape) if hasattr(value, "shape") else None
