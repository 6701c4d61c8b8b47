"""Models and their training, usable without TFX."""
