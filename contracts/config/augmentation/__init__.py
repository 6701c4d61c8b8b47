"""The section `augmentation`, and the policy that follows from it."""
