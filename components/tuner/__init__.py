"""TFX's Tuner over the keys of the config, and the best of them as YAML."""
