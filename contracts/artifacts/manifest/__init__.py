"""What became of every file: the manifest, and what changed between two of them."""
