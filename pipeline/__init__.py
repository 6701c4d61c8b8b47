"""The top: wires the components, runs them, and is the `imgpipe` command."""
