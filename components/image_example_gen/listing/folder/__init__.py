"""An image folder -> its layout."""
