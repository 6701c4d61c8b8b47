"""The plain Keras recipe for few photos: flip, rotation, zoom; four stages; AdamW; a time limit.

Source: keras.io, "Image classification from scratch"; TensorFlow, "Image classification".
Prints the validation accuracy of the best epoch and of the last.
"""

import argparse
import json
import os
import time
from pathlib import Path

import keras
import tensorflow as tf
from keras import layers

SIZE_PX = 96
BATCH_SIZE = 32
FILTERS = (32, 64, 128, 256)


class StopInTime(keras.callbacks.Callback):
    """Ends the training after the epoch in which it has used its minutes of all cores."""

    def __init__(self, minutes: float) -> None:
        super().__init__()
        self._end_s = time.process_time() + minutes * 60 * len(os.sched_getaffinity(0))

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        """Compare the time with the limit."""
        if time.process_time() > self._end_s:
            self.model.stop_training = True


def network(classes: int) -> keras.Model:
    """Return the network of the recipe with its augmentation in front."""
    stages = [
        layer
        for filters in FILTERS
        for layer in (
            layers.Conv2D(filters, 3, padding="same"),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(),
        )
    ]
    return keras.Sequential(
        [
            keras.Input((SIZE_PX, SIZE_PX, 3)),
            layers.RandomFlip("horizontal"),
            layers.RandomRotation(0.1),
            layers.RandomZoom(0.1),
            layers.Rescaling(1 / 255),
            *stages,
            layers.GlobalAveragePooling2D(),
            layers.Dropout(0.5),
            layers.Dense(classes, activation="softmax"),
        ]
    )


def main() -> None:
    """Train and print the accuracies."""
    parser = argparse.ArgumentParser()
    parser.add_argument("photos", type=Path, help="folder with train/ and validation/")
    parser.add_argument("minutes", type=float)
    parser.add_argument("seed", type=int)
    args = parser.parse_args()
    keras.utils.set_random_seed(args.seed)
    train, validation = (
        keras.utils.image_dataset_from_directory(
            args.photos / split,
            label_mode="categorical",
            image_size=(SIZE_PX, SIZE_PX),
            crop_to_aspect_ratio=True,
            batch_size=BATCH_SIZE,
            seed=args.seed,
            verbose=False,
        )
        for split in ("train", "validation")
    )
    classes = len(train.class_names)
    model = network(classes)
    model.compile(
        keras.optimizers.AdamW(1e-3), loss="categorical_crossentropy", metrics=["accuracy"]
    )
    # The photos fit into memory, so that they are decoded once.
    fitted = model.fit(
        train.cache().shuffle(32).prefetch(tf.data.AUTOTUNE),
        validation_data=validation.cache().prefetch(tf.data.AUTOTUNE),
        epochs=100_000,
        callbacks=[StopInTime(args.minutes)],
        verbose=0,
    )
    accuracies = fitted.history["val_accuracy"]
    found = {
        "accuracy": max(accuracies),  # as our recipe chooses it: `monitor: val_accuracy`
        "last_accuracy": accuracies[-1],
        "epochs": len(accuracies),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
