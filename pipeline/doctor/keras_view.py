"""Looks at Keras and its backend, in a process of its own."""

import json
import os
import sys
from dataclasses import asdict

from contracts.environment.keras_environment import TENSORFLOW
from pipeline.doctor.probe import ProbedBackend, ProbedGpu


def probe_backend(precision: str) -> ProbedBackend:
    """Return the backend, its GPUs, and the policy that `trainer.precision` selects on them."""
    import keras

    from trainer.hardware.devices import precision_policy
    from trainer.hardware.gpus import gpu_details

    backend = keras.backend.backend()
    is_built_with_cuda = True  # other backends do not say
    if backend == TENSORFLOW:
        import tensorflow as tf

        is_built_with_cuda = tf.test.is_built_with_cuda()
    return ProbedBackend(
        backend=backend,
        precision=precision_policy(precision),
        gpus=[
            ProbedGpu(one.name, ".".join(map(str, one.compute_capability))) for one in gpu_details()
        ],
        is_built_with_cuda=is_built_with_cuda,
    )


def main() -> None:
    """Print a ProbedBackend as JSON on the last line, and end the process.

    The argument on the command line is `trainer.precision`.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    print(json.dumps(asdict(probe_backend(sys.argv[1]))), flush=True)
    os._exit(0)  # without the messages that TensorFlow prints at its end
