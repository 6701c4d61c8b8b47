"""Shapes, parameters and operations of a network, stage by stage."""

import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers

from trainer.models.freezing import is_head, layers_within

Shape = tuple[int, ...]

# Up to so many top layers are each a stage; more are grouped by the size of their feature maps.
MOST_LAYERS = 24

CONVOLUTIONS = (
    layers.Conv1D,
    layers.Conv2D,
    layers.Conv3D,
    layers.DepthwiseConv1D,
    layers.DepthwiseConv2D,
    layers.SeparableConv1D,
    layers.SeparableConv2D,
)
TRANSPOSED = (layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)
KERNELS = ("kernel", "depthwise_kernel", "pointwise_kernel")
OWN_STAGE = re.compile(r"stage_\d+|stem")


@dataclass(frozen=True)
class Stage:
    """Layers that stand together, and what they cost for one image."""

    name: str
    output_shape: Shape  # without the batch; empty where it was never called
    parameters: int
    dense_parameters: int  # with every convolution replaced by a fully connected layer
    multiply_adds: int  # of convolutions and dense layers


@dataclass(frozen=True)
class _Call:
    """One call of a layer; shapes without the batch."""

    layer: layers.Layer
    input_shape: Shape
    output_shape: Shape


def stages(network: keras.Model, size_px: int) -> list[Stage]:
    """Return the stages of a network in the order of its first call.

    The layer names of our networks say the stages. In other networks each top layer is a stage, or,
    where these are many, each height and width of feature maps. What a layer costs follows from the
    shapes in one call on one image, so it is the same on every backend. Normalisations,
    activations, pooling, and operations outside of Keras's layers are not counted.
    """
    top_of = {id(part): top for top in network.layers for part in (top, *layers_within(top))}
    by_top: dict[int, list[_Call]] = {}
    for call in _calls(network, size_px):
        if id(call.layer) in top_of:
            by_top.setdefault(id(top_of[id(call.layer)]), []).append(call)
    order = {key: number for number, key in enumerate(by_top)}
    tops = sorted(network.layers, key=lambda top: order.get(id(top), len(order)))
    shapes = {id(top): _own_shape(top, by_top.get(id(top), ())) for top in tops}
    counted: set[int] = set()
    found = []
    for name, members in _by_stage(tops, shapes).items():
        calls = [call for top in members for call in by_top.get(id(top), ())]
        found.append(_stage(name, members, calls, counted))
    rest = _parameters([network], counted)
    return found + ([Stage("outside of layers", (), rest, rest, 0)] if rest else [])


def _stage(
    name: str, members: Sequence[layers.Layer], calls: Sequence[_Call], counted: set[int]
) -> Stage:
    # Padding belongs to the layer that comes after it.
    shapes = [
        _own_shape(top, calls) for top in members if not isinstance(top, layers.ZeroPadding2D)
    ]
    parameters = _parameters(members, counted)
    first_calls = {id(call.layer): call for call in reversed(calls)}
    return Stage(
        name=name,
        output_shape=next((shape for shape in reversed(shapes) if shape), ()),
        parameters=parameters,
        dense_parameters=parameters + sum(map(_dense_surplus, first_calls.values())),
        multiply_adds=sum(
            multiply_adds(call.layer, call.input_shape, call.output_shape) for call in calls
        ),
    )


def multiply_adds(layer: layers.Layer, input_shape: Shape, output_shape: Shape) -> int:
    """Return the multiplications, each with an addition, of a convolution or dense layer.

    0 for every other layer. Shapes are without the batch.
    """
    if isinstance(layer, layers.EinsumDense):
        left, right = layer.equation.replace(" ", "").split("->")
        kernel_letters = left.split(",")[1]
        summed = [
            size
            for letter, size in zip(kernel_letters, layer.kernel.shape, strict=True)
            if letter not in right
        ]
        products = math.prod(layer.kernel.shape) * math.prod(input_shape)
        return int(products // math.prod(summed))
    if isinstance(layer, layers.Dense):
        positions = math.prod(input_shape[:-1])
    elif isinstance(layer, CONVOLUTIONS):
        positions = math.prod(_spatial(layer, output_shape))
    elif isinstance(layer, TRANSPOSED):
        positions = math.prod(_spatial(layer, input_shape))
    else:
        return 0
    return int(positions * sum(math.prod(kernel.shape) for kernel in _kernels(layer)))


def _dense_surplus(call: _Call) -> int:
    """Return how many more parameters a layer would have as a fully connected one."""
    layer = call.layer
    spreads = isinstance(layer, layers.Dense) and len(call.input_shape) > 1
    if not spreads and not isinstance(layer, (*CONVOLUTIONS, *TRANSPOSED)):
        return 0
    inputs, outputs = math.prod(call.input_shape), math.prod(call.output_shape)
    biases = outputs if layer.use_bias else 0
    return int(inputs * outputs + biases - layer.count_params())


def _kernels(layer: layers.Layer) -> Iterator[Any]:
    for name in KERNELS:
        kernel = getattr(layer, name, None)
        if kernel is not None:
            yield kernel


def _spatial(layer: layers.Layer, shape: Shape) -> Shape:
    return shape[1:] if layer.data_format == "channels_first" else shape[:-1]


def _parameters(members: Sequence[layers.Layer], counted: set[int]) -> int:
    """Return the parameters of layers without those in `counted`, and add them there."""
    new = {id(weight): weight for layer in members for weight in layer.weights}
    fresh = [weight for key, weight in new.items() if key not in counted]
    counted.update(new)
    return sum(math.prod(weight.shape) for weight in fresh)


def _own_shape(top: layers.Layer, calls: Sequence[_Call]) -> Shape:
    return next((call.output_shape for call in reversed(calls) if call.layer is top), ())


def _by_stage(
    tops: Sequence[layers.Layer], shapes: dict[int, Shape]
) -> dict[str, list[layers.Layer]]:
    """Return the top layers by the name of their stage."""
    tops = [top for top in tops if not isinstance(top, layers.InputLayer)]
    if any(top.name.startswith("stage_") for top in tops):
        names = [_own_name(top.name) for top in tops]
    elif len(tops) > MOST_LAYERS:
        names = list(_names_by_size(tops, shapes))
    else:
        names = [top.name for top in tops]
    named: dict[str, list[layers.Layer]] = {}
    for name, top in zip(names, tops, strict=True):
        named.setdefault(name, []).append(top)
    return named


def _own_name(name: str) -> str:
    stage = OWN_STAGE.match(name)
    return stage.group() if stage else "head" if is_head(name) else name


def _names_by_size(tops: Sequence[layers.Layer], shapes: dict[int, Shape]) -> Iterator[str]:
    """Yield the stage of each layer: the size of its feature maps, which never grows."""
    current, smallest = "before", math.inf
    for top in tops:
        shape = shapes[id(top)]
        # A map of one pixel is a squeeze; the maps after it are larger again.
        if len(shape) == 3 and 1 < shape[0] < smallest:
            smallest = shape[0]
            current = f"maps of {shape[0]} x {shape[1]}"
        yield "head" if is_head(top.name) else current


def _calls(network: keras.Model, size_px: int) -> list[_Call]:
    """Return all calls of layers in one call of the network, in the order of their ends."""
    with _recording() as calls:
        network(np.zeros((1, size_px, size_px, 3), np.float32), training=False)
    return calls


@contextmanager
def _recording() -> Iterator[list[_Call]]:
    """Record every call of a layer; nothing else gives the shapes inside of subclassed models."""
    calls: list[_Call] = []
    original = layers.Layer.__call__

    def recorded(layer: layers.Layer, *args: Any, **kwargs: Any) -> Any:
        outputs = original(layer, *args, **kwargs)
        calls.append(_Call(layer, _shape(args), _shape(outputs)))
        return outputs

    layers.Layer.__call__ = recorded
    try:
        yield calls
    finally:
        layers.Layer.__call__ = original


def _shape(values: Any) -> Shape:
    first = next((value for value in keras.tree.flatten(values) if hasattr(value, "shape")), None)
    return () if first is None else tuple(first.shape)[1:]
