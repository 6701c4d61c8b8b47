"""A plain Keras script, after keras.io's "Image classification from scratch"."""

import time

import keras
import tensorflow as tf

from bench.peers.workload import parse_workload
from trainer.models import build_model

work = parse_workload()
train, rest = keras.utils.image_dataset_from_directory(
    work.images,
    label_mode="categorical",
    image_size=(work.size_px, work.size_px),
    batch_size=work.batch_size,
    validation_split=0.3,
    subset="both",
    seed=0,
    verbose=False,
)
classes = len(train.class_names)
third = int(rest.cardinality()) // 3
validation, test = rest.take(third), rest.skip(third)

model = build_model(work.trainer(), work.size_px, classes)
model.compile(
    keras.optimizers.AdamW(work.trainer().learning_rate),
    loss="categorical_crossentropy",
    metrics=["accuracy"],
)
started_s = time.monotonic()
model.fit(
    train.prefetch(tf.data.AUTOTUNE),
    validation_data=validation.prefetch(tf.data.AUTOTUNE),
    epochs=work.epochs,
    verbose=0,
)
work.write_training(time.monotonic() - started_s)
model.evaluate(test.prefetch(tf.data.AUTOTUNE), verbose=0)
model.export(work.folder / "model", verbose=False)
