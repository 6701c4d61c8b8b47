"""Code of the user's own that a training runs."""
