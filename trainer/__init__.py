"""Models and their training, usable without TFX."""

# `python -m` puts the working directory first, and a contracts.py of the user's may lie there.
import imgpipe  # noqa: F401
