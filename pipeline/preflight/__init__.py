"""The checks before a run: config, data, environment and workspace fit each other."""
