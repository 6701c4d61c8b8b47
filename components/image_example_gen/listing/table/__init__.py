"""A CSV -> its layout."""
