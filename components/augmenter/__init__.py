"""Training images -> the augmentation policy, what it does to them, and changed copies of some."""
