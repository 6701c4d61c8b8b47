"""What TensorFlow and Keras see here."""

import json
import os
import sys
from dataclasses import asdict

from pipeline.doctor.probe import Gpu, Probed


def view(precision: str) -> Probed:
    """Return the backend, the GPUs, and the policy that `trainer.precision` comes to on them."""
    import keras
    import tensorflow as tf

    from trainer.devices import gpus, precision_policy

    details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus()]
    return Probed(
        backend=keras.backend.backend(),
        precision=precision_policy(precision),
        gpus=[
            Gpu(
                str(one.get("device_name", "unknown")),
                ".".join(map(str, one.get("compute_capability", ()))),
            )
            for one in details
        ],
        is_built_with_cuda=tf.test.is_built_with_cuda(),
    )


def main() -> None:
    """Print what is seen, for the precision that the command line names, and end the process.

    It is JSON on the last line.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    print(json.dumps(asdict(view(sys.argv[1]))), flush=True)
    os._exit(0)  # what TensorFlow prints at its end helps nobody
