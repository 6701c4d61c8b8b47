"""What the training runs on, and the number format that suits it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import keras

from contracts.cluster import TF_CONFIG, cluster
from contracts.errors import ComponentError

# NVIDIA's Ampere (compute capability 8) and later multiply bfloat16 at full speed.
BFLOAT16_CAPABILITY = (8, 0)

TENSORFLOW = "tensorflow"


@dataclass(frozen=True)
class Devices:
    """What a training uses: `kind` as in pipeline.yaml, never auto, and the names."""

    kind: str
    names: tuple[str, ...]
    strategy: Any = None  # tf.distribute.Strategy, or keras.distribution.Distribution with JAX
    machines: int = 1
    is_chief: bool = True  # the one machine that writes what the training leaves behind

    def __str__(self) -> str:
        machines = f" on each of {self.machines} machines" if self.machines > 1 else ""
        return f"{', '.join(self.names)}{machines}"

    @property
    def replicas(self) -> int:
        """How many copies of the model are trained together."""
        return len(self.names) * self.machines

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Place what is made and called inside on these devices."""
        if self.strategy is None:
            manager: Any = nullcontext()
        else:
            manager = self.strategy.scope()
        with manager:
            yield


def gpus() -> list[Any]:
    """Return the GPUs that Keras's backend sees."""
    if keras.backend.backend() == TENSORFLOW:
        import tensorflow as tf

        return list(tf.config.list_physical_devices("GPU"))
    import jax

    return [device for device in jax.devices() if device.platform in ("gpu", "cuda", "rocm")]


def choose_devices(wanted: str) -> Devices:
    """Return what `trainer.devices` asks for.

    Args:
      wanted: auto, cpu, gpu, mirrored or multi_worker.

    Raises:
      ComponentError: this machine does not have it.
    """
    if wanted in ("gpu", "mirrored") and not gpus() and _logical_cpus() < 2:
        raise ComponentError(
            f"Trainer: expected a GPU for trainer.devices: {wanted}, found none. "
            "`imgpipe doctor` says why; `auto` takes the CPU."
        )
    workers, index = cluster()
    if wanted == "multi_worker" and len(workers) < 2:
        raise ComponentError(
            f"Trainer: expected the addresses of two or more workers in {TF_CONFIG} for "
            f"trainer.devices: multi_worker, received {os.environ.get(TF_CONFIG, 'nothing')}."
        )
    if wanted == "auto":
        several = "mirrored" if len(gpus()) > 1 else "gpu" if gpus() else "cpu"
        wanted = "multi_worker" if len(workers) > 1 else several
    if keras.backend.backend() == TENSORFLOW:
        return _of_tensorflow(wanted, len(workers), index)
    return _of_jax(wanted)


def precision_policy(precision: str, kind: str = "auto") -> str:
    """Return the Keras dtype policy: `auto` is mixed precision on a GPU, float32 elsewhere."""
    if precision != "auto":
        return precision
    found = gpus() if kind != "cpu" else []
    if not found:
        return "float32"
    if keras.backend.backend() != TENSORFLOW:
        return "mixed_bfloat16"
    import tensorflow as tf

    capability = tf.config.experimental.get_device_details(found[0]).get("compute_capability")
    bfloat16 = capability is not None and capability >= BFLOAT16_CAPABILITY
    return "mixed_bfloat16" if bfloat16 else "mixed_float16"


def compiles(jit_compile: bool | str, devices: Devices) -> bool | str:
    """Return what `Model.compile` is told of XLA.

    On a CPU TensorFlow's own kernels run convolutional networks about twice as fast as XLA's, so
    that `auto`, which Keras takes for a yes, is a no there; so it is for several replicas.
    """
    slow = devices.kind == "cpu" or not gpus() or devices.replicas > 1
    if jit_compile == "auto" and keras.backend.backend() == TENSORFLOW and slow:
        return False
    return jit_compile


def use_memory_as_needed() -> None:
    """Let TensorFlow take GPU memory as it needs it, not all at once."""
    if keras.backend.backend() == TENSORFLOW:
        import tensorflow as tf

        for gpu in gpus():
            tf.config.experimental.set_memory_growth(gpu, True)


def _of_tensorflow(kind: str, machines: int, index: int) -> Devices:
    import tensorflow as tf

    if kind == "multi_worker":
        try:
            strategy = tf.distribute.MultiWorkerMirroredStrategy()
        except RuntimeError as error:  # collective operations have to be set up at the start
            raise ComponentError(
                "Trainer: trainer.devices: multi_worker has to be set up before TensorFlow does "
                "anything else in a process, which is too late in a local run. Train with "
                "`imgpipe-train` on each machine, or run the pipeline on Kubeflow."
            ) from error
        names = tuple(strategy.extended.worker_devices)
        return Devices(kind, names, strategy, machines, is_chief=index == 0)
    names = [one.name for one in tf.config.list_logical_devices("CPU" if kind == "cpu" else "GPU")]
    if kind == "mirrored":
        names = names or [one.name for one in tf.config.list_logical_devices("CPU")]
        return Devices(kind, tuple(names), tf.distribute.MirroredStrategy(names))
    # Without a strategy TensorFlow takes the first GPU where there is one.
    away = kind == "cpu" and gpus()
    return Devices(kind, (names[0],), tf.distribute.OneDeviceStrategy(names[0]) if away else None)


def _of_jax(kind: str) -> Devices:
    if kind == "multi_worker":
        raise ComponentError(
            "Trainer: expected trainer.devices: multi_worker with KERAS_BACKEND=tensorflow, "
            "received it with jax. Take mirrored, or leave it to auto."
        )
    names = keras.distribution.list_devices("cpu" if kind == "cpu" or not gpus() else "gpu")
    away = kind == "cpu" and gpus()
    if kind != "mirrored":
        names = names[:1]
    placed = kind == "mirrored" or away  # JAX takes the first GPU where there is one
    strategy = keras.distribution.DataParallel(devices=names) if placed else None
    keras.distribution.set_distribution(strategy)  # `fit` asks for it too
    return Devices(kind, tuple(names), strategy)


def _logical_cpus() -> int:
    """Return how many CPUs the backend counts: one, unless it is told to split it for a trial."""
    if keras.backend.backend() != TENSORFLOW:
        return len(keras.distribution.list_devices("cpu"))
    import tensorflow as tf

    return len(tf.config.list_logical_devices("CPU"))
