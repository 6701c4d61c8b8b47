"""The top: wires the components, runs them, and is the `imgpipe` command."""

# `python -m` puts the working directory first, and a contracts.py of the user's may lie there.
import imgpipe  # noqa: F401
