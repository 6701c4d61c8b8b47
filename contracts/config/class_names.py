"""Keys whose values name classes, and sentences about classes that the data does not have."""

from collections.abc import Iterable, Sequence
from typing import Final

from contracts.system.errors import did_you_mean, some_of

CLASS_WEIGHTS: Final = "trainer.class_weights"


def exceptions_key(operation: str) -> str:
    """Return the key of the classes that an augmentation operation never changes."""
    return f"augmentation.operations.{operation}.except"


def unknown_classes(key: str, named: Iterable[str], labels: Sequence[str]) -> list[str]:
    """Return a sentence for each class that `key` names and the data does not have."""
    unknown = sorted(set(named) - set(labels))
    hints = [did_you_mean(label, list(labels)) for label in unknown]
    return [
        f"{key}: expected classes of the data ({some_of(labels)}), received {label!r}"
        f"{'; ' + hint if hint else '.'}"
        for label, hint in zip(unknown, hints, strict=True)
    ]
