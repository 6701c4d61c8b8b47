"""Rules between keys, and between keys and the classes of the data or files on the disk."""
