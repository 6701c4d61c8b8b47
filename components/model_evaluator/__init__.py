"""Candidate and champion on the test split -> predictions, metrics, slices."""
