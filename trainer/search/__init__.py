"""The search for better values of the config, and the runs of its trainings and of a sweep's."""
