"""The GPUs that Keras's backend sees, and its names of devices."""

from dataclasses import dataclass
from typing import Any

import keras

from contracts.environment.keras_environment import TENSORFLOW, TORCH


@dataclass(frozen=True)
class Gpu:
    """A GPU that Keras's backend sees; what it does not know is empty."""

    name: str
    compute_capability: tuple[int, ...] = ()  # NVIDIA's


def gpus() -> list[Any]:
    """Return the GPUs that Keras's backend sees, as it calls them."""
    backend = keras.backend.backend()
    if backend == TENSORFLOW:
        import tensorflow as tf

        return list(tf.config.list_physical_devices("GPU"))
    if backend == TORCH:
        import torch

        return [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    import jax

    return [device for device in jax.devices() if device.platform in ("gpu", "cuda", "rocm")]


def gpu_details() -> list[Gpu]:
    """Return what is known of these GPUs."""
    backend, found = keras.backend.backend(), gpus()
    if backend == TENSORFLOW:
        import tensorflow as tf

        details = [tf.config.experimental.get_device_details(one) for one in found]
        return [
            Gpu(one.get("device_name", "unknown"), tuple(one.get("compute_capability", ())))
            for one in details
        ]
    if backend == TORCH:
        import torch

        return [
            Gpu(torch.cuda.get_device_name(one), tuple(torch.cuda.get_device_capability(one)))
            for one in found
        ]
    capabilities = [getattr(one, "compute_capability", "") for one in found]
    return [
        Gpu(one.device_kind, tuple(int(part) for part in str(known).split(".") if part.isdigit()))
        for one, known in zip(found, capabilities, strict=True)
    ]


def device_names(kind: str | None = None) -> list[str]:
    """Return the backend's names of its devices of a kind, cpu or gpu; None: the best there are."""
    if keras.backend.backend() != TORCH:
        return list(keras.distribution.list_devices(kind))
    return gpus() if kind == "gpu" else ["cpu"] if kind == "cpu" else gpus() or ["cpu"]
