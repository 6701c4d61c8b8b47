"""Optimisers, learning rates and losses by name."""
