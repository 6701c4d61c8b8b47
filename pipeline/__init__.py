"""Wires the components, runs them, and holds the `imgpipe` command."""

# `python -m` puts the working directory first, where a contracts.py of the user may lie.
import imgpipe  # noqa: F401
