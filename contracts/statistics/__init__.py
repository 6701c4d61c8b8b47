"""Statistics of measured shares."""
