"""Examples of encoded images -> examples of resized pixels, ready to train on."""
