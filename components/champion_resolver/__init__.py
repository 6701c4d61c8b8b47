"""The model registry's champion -> the baseline that a candidate is measured against."""
