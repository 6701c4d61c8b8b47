"""Processes that decode images for the components, apart from TensorFlow, Beam and each other."""
