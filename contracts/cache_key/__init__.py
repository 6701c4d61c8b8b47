"""Digests of code, as parts of cache keys."""
