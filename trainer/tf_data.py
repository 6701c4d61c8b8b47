"""How every tf.data pipeline here is run."""

import tensorflow as tf


def without_autotune(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Return the data set without a thread that tunes it; AUTOTUNE is then one call a core.

    Code that releases an iterator waits for that thread to end. Sometimes the thread misses its
    cancellation (`Model::OptimizeLoop` of tensorflow/core/framework/model.cc, seen with 2.16) and
    sleeps on: up to a minute, after a minute of work. Its tuning gains less than that.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)
