"""What keys demand of one another, of the classes of the data and of files on the disk."""
