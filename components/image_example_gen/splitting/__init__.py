"""The splits of images, if the data has none of its own."""
