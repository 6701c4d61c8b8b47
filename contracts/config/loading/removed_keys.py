"""Keys that pipeline.yaml once had, and why it has them no longer."""

from typing import Final

from contracts.config.key_paths import KeyPath

_REASONS: Final[dict[KeyPath, str]] = {
    ("evaluation", "batch_size"): (
        "no longer a key, since version 0.2: 32 images are evaluated at a time, and no metric "
        "depends on it"
    ),
    ("trainer", "steps_per_execution"): (
        "no longer a key, since version 0.2: 8 steps run at once where the devices can, and no "
        "weight depends on it"
    ),
}


def removed_key_problem(path: KeyPath) -> str:
    """Return the sentence about a key that was removed; "" for any other key."""
    reason = _REASONS.get(path)
    return f"{reason}. Remove it." if reason else ""
