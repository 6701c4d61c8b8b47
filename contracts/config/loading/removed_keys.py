"""Keys that pipeline.yaml once had, and why it has them no longer."""

from typing import Final

from contracts.config.key_paths import KeyPath

_REASONS: Final[dict[KeyPath, str]] = {
    ("evaluation", "batch_size"): (
        "no longer a key, since version 0.2 evaluates 32 images a step: another number changes no "
        "metric"
    ),
    ("trainer", "steps_per_execution"): (
        "no longer a key, since version 0.2 runs 8 steps at once where the devices can: another "
        "number changes no weight"
    ),
}


def removed_key_problem(path: KeyPath) -> str:
    """Return the sentence about a key that was removed; "" for any other key."""
    reason = _REASONS.get(path)
    return f"{reason}. Remove it." if reason else ""
