"""The bytes of image files -> canonical images; the value ranges of deep images."""
