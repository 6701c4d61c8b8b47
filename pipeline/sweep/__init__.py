"""Trains with several values and seeds, and compares the results."""
