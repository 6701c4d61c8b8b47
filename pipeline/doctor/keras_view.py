"""What Keras and its backend see here."""

import json
import os
import sys
from dataclasses import asdict

from contracts.environment.keras_environment import TENSORFLOW
from pipeline.doctor.probe import Gpu, Probed


def view(precision: str) -> Probed:
    """Return the backend, the GPUs, and the policy that `trainer.precision` comes to on them."""
    import keras

    from trainer.hardware.devices import precision_policy
    from trainer.hardware.gpus import gpu_details

    backend = keras.backend.backend()
    is_built_with_cuda = True  # of others nobody knows before they see a GPU
    if backend == TENSORFLOW:
        import tensorflow as tf

        is_built_with_cuda = tf.test.is_built_with_cuda()
    return Probed(
        backend=backend,
        precision=precision_policy(precision),
        gpus=[Gpu(one.name, ".".join(map(str, one.compute_capability))) for one in gpu_details()],
        is_built_with_cuda=is_built_with_cuda,
    )


def main() -> None:
    """Print what is seen, for the precision that the command line names, and end the process.

    It is JSON on the last line.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    print(json.dumps(asdict(view(sys.argv[1]))), flush=True)
    os._exit(0)  # what TensorFlow prints at its end helps nobody
