"""Launches the components of a compiled pipeline, and records what they put out."""
