"""Checks on the measures of images and on the counts of classes."""
