"""Processes that decode images for the components, without TensorFlow and Beam."""
