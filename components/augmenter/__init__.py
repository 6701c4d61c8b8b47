"""Training images -> the augmentation policy, pictures of its effect, and augmented copies."""
