"""From a SavedModel to predictions."""
