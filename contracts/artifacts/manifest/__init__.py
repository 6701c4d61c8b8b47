"""The manifest: a row for every file; and the comparison of two manifests."""
