"""The precision of an accuracy that was measured on few test images."""

from typing import Final

from contracts.config.evaluation import EvaluationConfig
from contracts.statistics.wilson import examples_to_within, wilson_interval

# An accuracy with a wider interval says little. If the gate allows a larger drop, an interval of
# that width is enough.
PRECISION: Final = 0.05

MORE_IMAGES: Final = "Add test images, or raise data.splits.test where the split is cut."


def small_split_sentence(
    accuracy: float, examples: int, config: EvaluationConfig, *, has: str = "has"
) -> str | None:
    """Return a sentence on the interval of an accuracy; None where the test images are enough.

    Args:
      accuracy: measured on them, or expected.
      examples: how many test images there are, from 1.
      config: the limits that the accuracy is held against.
      has: the verb of the sentence: the split `has` so many images.
    """
    precision = max(PRECISION, config.max_accuracy_drop)
    low, high = wilson_interval(accuracy, examples)
    if (high - low) / 2 <= precision:
        return None
    needed = about(examples_to_within(precision, accuracy))
    return (
        f"The test split {has} {examples:,} image{'s' if examples > 1 else ''}: an accuracy of "
        f"{accuracy:.2f} stands for anything from {low:.2f} to {high:.2f} (95 %). To know it to "
        f"within {precision:g} takes {needed} images. {MORE_IMAGES}"
    )


def about(count: int) -> str:
    """Return a count rounded to two digits, as the object of a sentence: `about 340`."""
    return f"about {int(float(f'{count:.1e}')):,}"
