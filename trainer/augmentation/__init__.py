"""Random changes of training batches: keras.ops alone, so that any Keras backend runs them."""

from trainer.augmentation.layer import Augmentation

__all__ = ["Augmentation"]
