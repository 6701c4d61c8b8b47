"""The section `augmentation`, and the policy that it comes to."""
