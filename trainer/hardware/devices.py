"""The devices of a training, and the number format that suits them."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import keras

from contracts.environment.cluster import TF_CONFIG, cluster
from contracts.environment.keras_environment import TENSORFLOW, TORCH
from contracts.system.errors import ComponentError
from contracts.system.progress import report_progress
from trainer.hardware.gpus import device_names, gpu_details, gpus

# NVIDIA's Ampere (compute capability 8) and later multiply bfloat16 at full speed.
BFLOAT16_CAPABILITY = (8, 0)

# Keras on PyTorch asks for the device whenever it makes a tensor, also after the training.
_entered = ExitStack()


@dataclass(frozen=True)
class Devices:
    """What a training uses: `kind` as in pipeline.yaml, never auto, and the names."""

    kind: str
    names: tuple[str, ...]
    strategy: Any = None  # tf.distribute.Strategy, or keras.distribution.Distribution with JAX
    machines: int = 1
    is_chief: bool = True  # whether this machine is the chief, which writes the outputs

    def __str__(self) -> str:
        machines = f" on each of {self.machines} machines" if self.machines > 1 else ""
        return f"{', '.join(self.names)}{machines}"

    @property
    def replicas(self) -> int:
        """How many copies of the model are trained together."""
        return len(self.names) * self.machines

    @property
    def has_gpus(self) -> bool:
        """Whether it is trained on GPUs; several logical CPUs may take their place."""
        return self.kind != "cpu" and bool(gpus())

    def evaluation_size(self, images: int, size: int) -> int:
        """Return the batch size, at most `size`, for one pass over so many images.

        Keras on TensorFlow cannot share a last batch of fewer images than replicas. On JAX it
        shares only batches that are multiples of the replicas, and treats every batch as the first
        one: if the last batch is no multiple, the first one must not be one either.
        """
        if self.replicas == 1:
            return size
        if keras.backend.backend() == TENSORFLOW:
            while size > 1 and 0 < images % size < self.replicas:
                size -= 1
        elif images % self.replicas and size % self.replicas == 0:
            size -= 1
        return size

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Place what is made and called inside on these devices."""
        if self.strategy is None:
            manager: Any = nullcontext()
        else:
            manager = self.strategy.scope()
        with manager:
            yield


@contextmanager
def lost_machine_explained(devices: Devices) -> Iterator[None]:
    """Turn the error that TensorFlow raises after another machine is lost into a sentence.

    Raises:
      ComponentError: it came out of the block.
    """
    if devices.machines == 1:
        yield
        return
    from tensorflow import errors

    try:
        yield
    except (errors.AbortedError, errors.DeadlineExceededError, errors.UnavailableError) as error:
        reason = error.message.rpartition("aborted by: ")[2].partition("\n")[0].rstrip(".")
        raise ComponentError(
            f"Trainer: lost another machine of {TF_CONFIG} ({reason}). Look at what it logged, and "
            "start the training on all of them again: it goes on after the last whole epoch."
        ) from error


class SharedOrWhole(keras.distribution.DataParallel):
    """Shares a batch among the devices; one that cannot be shared goes to each of them whole."""

    def get_data_layout(self, data_shape: Any) -> Any:
        """Return how an array of this shape, batch first, lies on the devices."""
        shared = super().get_data_layout(data_shape)
        if data_shape[0] % self.device_mesh.devices.size == 0:
            return shared
        return keras.distribution.TensorLayout([None] * len(data_shape), self.device_mesh)


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
    backend = keras.backend.backend()
    if wanted == "auto":
        several = "mirrored" if len(gpus()) > 1 and backend != TORCH else "gpu" if gpus() else "cpu"
        wanted = "multi_worker" if len(workers) > 1 else several
    if backend == TENSORFLOW:
        return _of_tensorflow(wanted, len(workers), index)
    if wanted == "multi_worker":
        raise ComponentError(
            "Trainer: expected KERAS_BACKEND=tensorflow for several machines (trainer.devices: "
            f"multi_worker, or {TF_CONFIG} with auto), received {backend}. Unset {TF_CONFIG} and "
            "take auto, or take that backend."
        )
    return _of_torch(wanted) if backend == TORCH else _of_jax(wanted)


def precision_policy(precision: str, kind: str = "auto") -> str:
    """Return the Keras dtype policy: `auto` is mixed precision on a GPU, float32 elsewhere."""
    if precision != "auto":
        return precision
    found = gpu_details() if kind != "cpu" else []
    if not found:
        return "float32"
    has_bfloat16 = found[0].compute_capability >= BFLOAT16_CAPABILITY
    is_of_jax = keras.backend.backend() not in (TENSORFLOW, TORCH)
    return "mixed_bfloat16" if has_bfloat16 or is_of_jax else "mixed_float16"


def compiles(jit_compile: bool | str, devices: Devices) -> bool | str:
    """Return the `jit_compile` of `Model.compile`.

    On a CPU TensorFlow's own kernels run convolutional networks about twice as fast as XLA's. So
    `auto`, which means true to Keras, means false there, and for several replicas.
    """
    slow = not devices.has_gpus or devices.replicas > 1
    if jit_compile == "auto" and keras.backend.backend() == TENSORFLOW and slow:
        return False
    return jit_compile


def _of_tensorflow(kind: str, machines: int, index: int) -> Devices:
    import tensorflow as tf

    if kind == "multi_worker":
        report_progress(1, machines, "machines", f"(waiting for the others that {TF_CONFIG} names)")
        try:
            strategy = tf.distribute.MultiWorkerMirroredStrategy()
        except RuntimeError as error:  # collective operations have to be set up at the start
            raise ComponentError(
                "Trainer: trainer.devices: multi_worker has to be set up before TensorFlow does "
                "anything else in a process, which is too late in a run. Train with "
                "`imgpipe-train` on each machine, on what `imgpipe run --to ImageTransform` makes."
            ) from error
        devices = tuple(strategy.extended.worker_devices)
        return Devices(kind, devices, strategy, machines, is_chief=index == 0)
    names = [one.name for one in tf.config.list_logical_devices("CPU" if kind == "cpu" else "GPU")]
    if kind == "mirrored":
        names = names or [one.name for one in tf.config.list_logical_devices("CPU")]
        return Devices(kind, tuple(names), tf.distribute.MirroredStrategy(names))
    # Without a strategy TensorFlow takes the first GPU where there is one.
    away = kind == "cpu" and gpus()
    return Devices(kind, (names[0],), tf.distribute.OneDeviceStrategy(names[0]) if away else None)


def _of_jax(kind: str) -> Devices:
    names = device_names("cpu" if kind == "cpu" or not gpus() else "gpu")
    away = kind == "cpu" and gpus()
    if kind != "mirrored":
        names = names[:1]
    placed = kind == "mirrored" or away  # JAX takes the first GPU where there is one
    strategy = SharedOrWhole(devices=names) if placed else None
    keras.distribution.set_distribution(strategy)  # `fit` asks for it too
    return Devices(kind, tuple(names), strategy)


def _of_torch(kind: str) -> Devices:
    if kind == "mirrored":
        raise ComponentError(
            "Trainer: expected trainer.devices: auto, gpu or cpu with KERAS_BACKEND=torch, where "
            "Keras trains on one device, received mirrored. Take one of these, or "
            "KERAS_BACKEND=tensorflow or jax."
        )
    names = device_names("cpu" if kind == "cpu" else "gpu")[:1]
    _entered.close()
    _entered.enter_context(keras.device(names[0]))
    return Devices(kind, tuple(names))


def _logical_cpus() -> int:
    """Return how many CPUs the backend counts: one, unless it is set to split it."""
    if keras.backend.backend() != TENSORFLOW:
        return len(device_names("cpu"))
    import tensorflow as tf

    return len(tf.config.list_logical_devices("CPU"))
