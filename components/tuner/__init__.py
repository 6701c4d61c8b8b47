"""TFX's Tuner with a search space of config keys; the best values are written as YAML."""
