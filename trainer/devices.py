"""What the training runs on, and the number format that suits it."""

import tensorflow as tf

# NVIDIA's Ampere (compute capability 8) and later multiply bfloat16 at full speed.
BFLOAT16_CAPABILITY = (8, 0)


def gpus() -> list[tf.config.PhysicalDevice]:
    """Return the GPUs that TensorFlow sees."""
    return tf.config.list_physical_devices("GPU")


def precision_policy(precision: str) -> str:
    """Return the Keras dtype policy: `auto` is mixed precision on a GPU, float32 elsewhere."""
    if precision != "auto":
        return precision
    found = gpus()
    if not found:
        return "float32"
    capability = tf.config.experimental.get_device_details(found[0]).get("compute_capability")
    bfloat16 = capability is not None and capability >= BFLOAT16_CAPABILITY
    return "mixed_bfloat16" if bfloat16 else "mixed_float16"


def use_memory_as_needed() -> None:
    """Let TensorFlow take GPU memory as it needs it, not all at once."""
    for gpu in gpus():
        tf.config.experimental.set_memory_growth(gpu, True)
