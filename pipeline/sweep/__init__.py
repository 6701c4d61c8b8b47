"""The same training with other values and other seeds, and what can be told from it."""
