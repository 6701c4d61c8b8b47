"""Rules that relate keys to each other, to the classes of the data and to files on the disk."""
