"""The search for better values of the config, a training a trial."""
