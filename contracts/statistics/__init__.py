"""Confidence intervals of measured shares, such as an accuracy."""
