"""A trained network -> a SavedModel with its preprocessing inside."""
